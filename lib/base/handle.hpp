// Owners for handles of C libraries: Handle<git_repository, git_repository_free> and Out(handle) for the
// out-parameters that fill them. A class of its own only where there is behaviour.
#pragma once

#include <memory>

namespace pgod {

template<auto function>
struct Deleter {
    template<typename T>
    void operator()(T* pointer) const noexcept {
        function(pointer);
    }
};

template<typename T, auto function>
using Handle = std::unique_ptr<T, Deleter<function>>;

// Adapts a Handle to `int make(T** out)`; the handle owns the pointer when the full expression ends.
template<typename H>
class Out {
  public:
    explicit Out(H& handle) noexcept
        : handle_(handle) {}
    Out(const Out&) = delete;
    Out& operator=(const Out&) = delete;
    ~Out() { handle_.reset(raw_); }
    operator typename H::pointer *() noexcept { return &raw_; }

  private:
    H& handle_;
    typename H::pointer raw_ = nullptr;
};

template<typename H>
Out(H&) -> Out<H>;

} // namespace pgod
