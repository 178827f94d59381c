#include "client/client.hpp"

#include "client/interrupt.hpp"
#include "client/keyring.hpp"
#include "client/on_this_host.hpp"
#include "client/options.hpp"
#include "client/over_ssh.hpp"
#include "client/plan.hpp"
#include "client/say.hpp"
#include "client/several.hpp"
#include "config/host_book.hpp"
#include "core/exit_status.hpp"
#include "core/host_list.hpp"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace pgod::client {

namespace {

constexpr std::chrono::seconds watch_interval{2};

int usage_error(const Error& error) {
    say(error.message);
    return exit_status::usage;
}

int run_one(const Plan& plan) {
    if (plan.target.host.empty())
        return run_on_this_host(plan);
    auto sources = identities_of(plan);
    if (!sources)
        return usage_error(sources.error());
    return run_over_ssh(plan, Keyring(std::move(*sources)));
}

// Until Control-C, or until it cannot be looked at.
int watch(const Plan& plan) {
    const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    for (;;) {
        if (terminal)
            (void)write_all(STDOUT_FILENO, "\x1b[H\x1b[2J");
        if (const int status = run_one(plan); status != exit_status::done)
            return status;
        if (!terminal && !write_all(STDOUT_FILENO, "\n"))
            return errno == EPIPE ? 128 + SIGPIPE : exit_status::failed; // as one look that nobody reads
        std::this_thread::sleep_for(watch_interval);
    }
}

bool can_be_watched(const Operation* operation) {
    return operation != nullptr &&
           (operation->op == Op::list || operation->op == Op::status || operation->op == Op::ps ||
            operation->op == Op::history || operation->op == Op::why);
}

Result<std::vector<Plan>> plans_of(const Options& options, const HostBook& book) {
    std::vector<Plan> plans;
    for (auto& target : TRY(parse_targets(options.target, book)))
        plans.push_back(TRY(plan_of(options, std::move(target), book)));
    if (plans.size() > 1 && plans.front().terminal)
        return Error{Code::invalid, "exec -t is for one host at a time"};
    if (options.watch && (plans.size() > 1 || !can_be_watched(plans.front().operation)))
        return Error{Code::invalid, "--watch is for list, status, ps, history and why, of one host"};
    return plans;
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
    const auto& options = std::get<Options>(parsed);
    // First the identity: a key that the shell split into words has its second word where the target belongs.
    if (const auto given = identity_sources(options.identities, environment); !given)
        return usage_error(given.error());
    const HostBookReport report = load_host_book(host_book_path().value_or(""));
    for (const auto& error : report.errors)
        say(error);
    if (!report.errors.empty())
        return exit_status::config;
    const auto plans = plans_of(options, report.book);
    if (!plans)
        return usage_error(plans.error());
    if (options.watch)
        return watch(plans->front());
    return plans->size() == 1 ? run_one(plans->front()) : run_at_several(*plans, run_one);
}

} // namespace pgod::client
