#include "compose/containers_conf.hpp"

#include "os/safe_path.hpp"

#include <cstddef>
#include <utility>

namespace pgod::compose {

std::vector<std::string> containers_conf(const std::string& home) {
    constexpr std::size_t longest = 1 << 20;
    std::vector<std::string> found;
    for (const std::string& path :
         {home + "/.config/containers/containers.conf", std::string("/etc/containers/containers.conf"),
          std::string("/usr/share/containers/containers.conf")})
        if (auto text = os::read_file(path, longest))
            found.push_back(std::move(*text));
    return found;
}

} // namespace pgod::compose
