// pipe(2) with owners.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <cstddef>

namespace pgod::os {

struct Pipe {
    Fd read_end;
    Fd write_end;
};

Result<Pipe> make_pipe(); // both close-on-exec and blocking

// Bytes that can be read from it now, also of a terminal; 0 where there is none.
std::size_t waiting_in(const Fd& read_end) noexcept;

} // namespace pgod::os
