// A pipe between two processes of the jail. Both ends close at execve(2).
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace pgod::jail {

struct Pipe {
    Fd read_end;
    Fd write_end;
};

inline Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return errno_error("make a pipe");
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

} // namespace pgod::jail
