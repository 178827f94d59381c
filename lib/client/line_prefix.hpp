// What a host sends, cut into lines that each begin with its name. Pure. A line of more than max_held bytes
// is cut there.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace pgod::client {

class LinePrefix {
  public:
    static constexpr std::size_t max_held = std::size_t{64} * 1024;

    explicit LinePrefix(std::string prefix)
        : prefix_(std::move(prefix)) {}

    std::string take(std::string_view bytes); // the lines that are whole now
    std::string rest();                       // what is left at the end

  private:
    std::string prefix_;
    std::string held_;
};

} // namespace pgod::client
