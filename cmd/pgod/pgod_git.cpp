// pgod-git: started by pgod with its line as descriptors 3 and 4, never by hand. See daemon/git_role.hpp.
#include "daemon/git_role.hpp"

#include <malloc.h>
#include <string.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string_view>

// Freed memory is wiped: a job is a fork of this process and must not find in its heap what was decoded for
// another service's job, a token in a URL above all. AddressSanitizer has functions of its own in this place.
#if !defined(__SANITIZE_ADDRESS__)
void operator delete(void* memory) noexcept {
    if (memory != nullptr)
        ::explicit_bzero(memory, ::malloc_usable_size(memory));
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    operator delete(memory);
}
void* operator new(std::size_t size) {
    if (void* memory = std::malloc(size == 0 ? 1 : size))
        return memory;
    throw std::bad_alloc();
}
#endif

int main(int argc, char** argv) {
    int type = 0;
    socklen_t size = sizeof type;
    const bool by_pgod = ::getsockopt(3, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
    const bool debug = argc == 2 && std::string_view(argv[1]) == "--debug";
    if (!by_pgod || argc > (debug ? 2 : 1)) {
        std::fputs("pgod-git: is started by pgod, which gives it its work\n", stderr);
        return 64;
    }
    return pgod::daemon::run_git_role(debug);
}
