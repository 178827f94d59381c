// libcrypto.a of Debian 13 refers to zstd, which only compresses certificates of TLS. pgoctl speaks no TLS,
// so with a static libcrypto it gets these instead of the library. Each says that it failed, and nothing
// calls them.
#include <cstddef>

extern "C" {

// zstd's size_t results are errors when they are close to the largest one.
#define PGOD_NO_ZSTD(function)                                                                               \
    std::size_t function() {                                                                                 \
        return static_cast<std::size_t>(-1);                                                                 \
    }

PGOD_NO_ZSTD(ZSTD_CStreamInSize)
PGOD_NO_ZSTD(ZSTD_DStreamInSize)
PGOD_NO_ZSTD(ZSTD_compress)
PGOD_NO_ZSTD(ZSTD_compressStream2)
PGOD_NO_ZSTD(ZSTD_decompress)
PGOD_NO_ZSTD(ZSTD_decompressStream)
PGOD_NO_ZSTD(ZSTD_endStream)
PGOD_NO_ZSTD(ZSTD_flushStream)
PGOD_NO_ZSTD(ZSTD_freeCStream)
PGOD_NO_ZSTD(ZSTD_freeDStream)
PGOD_NO_ZSTD(ZSTD_initCStream)
PGOD_NO_ZSTD(ZSTD_initDStream)

#undef PGOD_NO_ZSTD

void* ZSTD_createCStream_advanced() {
    return nullptr;
}

void* ZSTD_createDStream_advanced() {
    return nullptr;
}

const char* ZSTD_getErrorName() {
    return "pgoctl has no zstd";
}

unsigned ZSTD_isError() {
    return 1;
}

} // extern "C"
