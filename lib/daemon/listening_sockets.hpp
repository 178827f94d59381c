// Sockets that listen for a setting of the configuration. Bound by the supervisor, which may have privileged
// ports; who serves them gets them as descriptors.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "core/service.hpp"

#include <string_view>
#include <vector>

namespace pgod::daemon {

enum class NoHost { everywhere, loopback }; // what an address without a host means

// One or more, at most four, non-blocking; `setting` is for the message.
Result<std::vector<Fd>> listen_at(const ListenAddress& address, NoHost no_host, std::string_view setting);

} // namespace pgod::daemon
