// What the fuzz targets share. Each file beside this one hands hostile bytes to one of pgod's decoders and
// checks what must hold of whatever comes out. It is linked twice: with libFuzzer in the `fuzz` preset
// (clang), and with replay.cpp in every build, where the committed corpus runs as a test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace pgod::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

// Ends the process, so that libFuzzer keeps the input.
inline void require(bool holds) {
    if (!holds)
        std::abort();
}

} // namespace pgod::fuzz
