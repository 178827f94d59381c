#include "client/client.hpp"

#include "client/interrupt.hpp"
#include "client/keyring.hpp"
#include "client/on_this_host.hpp"
#include "client/options.hpp"
#include "client/over_ssh.hpp"
#include "client/plan.hpp"
#include "client/say.hpp"
#include "core/exit_status.hpp"

#include <signal.h>
#include <unistd.h>

namespace pgod::client {

namespace {

int usage_error(const Error& error) {
    say(error.message);
    return exit_status::usage;
}

} // namespace

int run_client(int argc, const char* const* argv) {
    ::signal(SIGPIPE, SIG_IGN); // a reader that left, or a server, is noticed where we write
    when_interrupted({}, 0);
    auto parsed = parse_options(argc, argv);
    if (const auto* early = std::get_if<EarlyEnd>(&parsed)) {
        if (early->status == exit_status::done)
            (void)write_all(STDOUT_FILENO, early->text);
        else
            say(early->text);
        return early->status;
    }
    auto& options = std::get<Options>(parsed);
    // First the identity: a key that the shell split into words has its second word where the target belongs.
    auto sources = identity_sources(options.identities, environment);
    if (!sources)
        return usage_error(sources.error());
    auto plan = plan_of(std::move(options));
    if (!plan)
        return usage_error(plan.error());
    if (plan->target.host.empty())
        return run_on_this_host(*plan);
    return run_over_ssh(std::move(*plan), Keyring(std::move(*sources)));
}

} // namespace pgod::client
