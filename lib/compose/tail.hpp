// Tail: the last lines of what a child printed, for the sentence about its failure. At most 4 KiB.
#pragma once

#include <string>
#include <string_view>

namespace pgod::compose {

class Tail {
  public:
    void append(std::string_view bytes) {
        text_.append(bytes);
        if (text_.size() > limit)
            text_.erase(0, text_.size() - limit / 2);
    }
    const std::string& text() const noexcept { return text_; }

  private:
    static constexpr std::size_t limit = 4096; // bytes
    std::string text_;
};

} // namespace pgod::compose
