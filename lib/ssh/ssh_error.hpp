// The one place where libssh's errors become ours. Everything in lib/ssh that fails because libssh did says
// what was being done and gets libssh's own words, escaped: they may quote the peer.
#pragma once

#include "base/result.hpp"

#include <string_view>

struct ssh_session_struct;
struct ssh_bind_struct;

namespace pgod::ssh {

// What libssh last said about the session or the bind; libssh may have nothing to say.
Error ssh_error(ssh_session_struct* session, std::string_view doing);
Error ssh_error(ssh_bind_struct* bind, std::string_view doing);

} // namespace pgod::ssh
