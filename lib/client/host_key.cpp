#include "client/host_key.hpp"

#include "base/text.hpp"
#include "client/say.hpp"
#include "client/terminal.hpp"
#include "ssh/client_known_hosts.hpp"

#include <fmt/format.h>

namespace pgod::client {

namespace {

Error another(std::string message) {
    return Error{Code::permanent, std::move(message)};
}

Error denied(std::string message) {
    return Error{Code::denied, std::move(message)};
}

void remember(const HostKeyPolicy& policy, const ssh::ServerKey& server) {
    if (policy.known_hosts.empty())
        return say("cannot remember the host key: HOME is not set and --known-hosts not given");
    const auto done = ssh::remember_host_key(policy.known_hosts, policy.host, policy.port, server.key);
    if (!done)
        return say("cannot remember the host key: " + done.error().message);
    say(fmt::format("added {} port {}, {}, to {}", policy.host, policy.port, server.fingerprint,
                    policy.known_hosts));
}

Status judge_new(const HostKeyPolicy& policy, const ssh::ServerKey& server) {
    if (!policy.accept_new) {
        if (!somebody_is_there())
            return denied(fmt::format("the host key of {} port {} is not known ({} {}): compare it with the "
                                      "server's, then add --accept-new, or pin it with --host-key {}",
                                      policy.host, policy.port, server.key.type, server.fingerprint,
                                      server.fingerprint));
        say(fmt::format("the host key of {} port {} is not known: {} {}", policy.host, policy.port,
                        server.key.type, server.fingerprint));
        if (!ask_yes("Go on and remember it (yes or no)? "))
            return denied("the host key was not accepted");
    }
    remember(policy, server);
    return ok();
}

} // namespace

Status judge_host_key(const HostKeyPolicy& policy, const ssh::ServerKey& server) {
    if (!policy.pin.empty()) {
        if (server.fingerprint == policy.pin)
            return ok();
        return another(fmt::format("the host key of {} port {} is {}, but {} was demanded: nothing was sent",
                                   policy.host, policy.port, server.fingerprint, policy.pin));
    }
    const auto verdict = ssh::look_up_host_key(policy.known_hosts, policy.host, policy.port, server.key);
    if (!verdict)
        return denied("cannot judge the host key: " + verdict.error().message);
    switch (verdict->standing) {
    case HostKeyStanding::known:
        return ok();
    case HostKeyStanding::unknown:
        return judge_new(policy, server);
    case HostKeyStanding::other_type: // over_ssh asks for the type that is known; --accept-new must not
    case HostKeyStanding::changed:
        return another(
            fmt::format("the host key of {} port {} has changed: it is {}, and {} says {}; somebody may "
                        "be in between, so ask the administrator before removing that line",
                        policy.host, policy.port, server.fingerprint, verdict->where, verdict->fingerprint));
    case HostKeyStanding::revoked:
        return denied(fmt::format("the host key of {} port {}, {}, is revoked by {}", policy.host,
                                  policy.port, server.fingerprint, verdict->where));
    }
    return denied("the host key was not judged");
}

} // namespace pgod::client
