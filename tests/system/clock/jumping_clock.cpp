// Preloaded into one pgod by test_clock.py: its wall clock is the host's and as many seconds more as the file says
// that PGOD_CLOCK_OFFSET names. The monotonic clock, and so every timer, is the real one. libfaketime moves timerfd
// along with the wall clock, which no kernel does.
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace {

long offset() {
    static const char* const path = std::getenv("PGOD_CLOCK_OFFSET");
    if (path == nullptr)
        return 0;
    const int before = errno;
    char text[32]{};
    const int file = ::open(path, O_RDONLY | O_CLOEXEC);
    const auto got = ::read(file, text, sizeof text - 1);
    ::close(file);
    errno = before;
    return got > 0 ? std::strtol(text, nullptr, 10) : 0;
}

} // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
    const auto status = ::syscall(SYS_clock_gettime, clock, now);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += offset();
    return static_cast<int>(status);
}

extern "C" time_t time(time_t* out) noexcept {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    if (out != nullptr)
        *out = now.tv_sec;
    return now.tv_sec;
}

extern "C" int gettimeofday(timeval* now, void*) noexcept {
    timespec exact{};
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}
