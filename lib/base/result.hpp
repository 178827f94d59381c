// Result<T> and Error: failures are values whose code decides what happens next.
// Exceptions are for bugs and exhausted memory only; they never cross a C callback or a fork.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace pgod {

// Closed on purpose: reconcile branches on the class of a failure, never on its text.
enum class Code {
    transient, // network, registry, disk: the same attempt may succeed later
    permanent, // the input itself is bad: wait for a new commit or a new configuration
    denied,    // credentials or permission refused
    invalid,   // a caller's argument, a file's content or a peer's frame is malformed
    timeout,   // a deadline passed
    gone,      // the thing asked for does not exist (a branch, a file, a container)
    internal,  // a broken promise of our own or of the system
};

std::string_view name_of(Code code) noexcept;

struct [[nodiscard]] Error {
    Code code = Code::internal;
    std::string message; // one sentence without a full stop, safe to show to a user

    // Adds what was being done, outermost first: "clone repository: connect: refused".
    Error context(std::string_view doing) && {
        message.insert(0, ": ");
        message.insert(0, doing);
        return std::move(*this);
    }
};

// An Error made of errno as it is now; call before anything else can change it.
Error errno_error(std::string_view doing);
Error errno_error(std::string_view doing, int error_number);

struct Unit {};

template<typename T>
class [[nodiscard]] Result {
  public:
    Result(T value)
        : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error)
        : state_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T& value() & { return std::get<0>(state_); }
    const T& value() const& { return std::get<0>(state_); }
    T&& value() && { return std::get<0>(std::move(state_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    Error& error() & { return std::get<1>(state_); }
    const Error& error() const& { return std::get<1>(state_); }
    Error&& error() && { return std::get<1>(std::move(state_)); }

    Result context(std::string_view doing) && {
        if (has_value())
            return std::move(*this);
        return std::move(*this).error().context(doing);
    }

  private:
    std::variant<T, Error> state_;
};

using Status = Result<Unit>;

inline Status ok() {
    return Unit{};
}

} // namespace pgod

// TRY(expr) yields the value, or returns the error from the enclosing function.
#define TRY(expression)                                                                                      \
    __extension__({                                                                                          \
        auto try_result_ = (expression);                                                                     \
        if (!try_result_)                                                                                    \
            return std::move(try_result_).error();                                                           \
        std::move(try_result_).value();                                                                      \
    })

// TRY_DOING(expr, "what") does the same and says what was being done.
#define TRY_DOING(expression, doing)                                                                         \
    __extension__({                                                                                          \
        auto try_result_ = (expression);                                                                     \
        if (!try_result_)                                                                                    \
            return std::move(try_result_).error().context(doing);                                            \
        std::move(try_result_).value();                                                                      \
    })
