#include "client/client.hpp"

#include "base/text.hpp"
#include "client/connect.hpp"
#include "client/host_key.hpp"
#include "client/interrupt.hpp"
#include "client/keyring.hpp"
#include "client/options.hpp"
#include "client/output.hpp"
#include "client/raw_terminal.hpp"
#include "client/say.hpp"
#include "core/exec_request.hpp"
#include "core/exit_status.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace pgod::client {

namespace {

constexpr int broken_pipe = 128 + SIGPIPE; // what a shell shows for a filter whose reader left

std::optional<std::string> environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

// pgod only echoes the user. A name of another shape could not travel: libssh refuses shell metacharacters.
std::string user_name() {
    auto name = environment("LOGNAME");
    if (!name)
        name = environment("USER");
    if (!name)
        if (const passwd* entry = ::getpwuid(::getuid()))
            name = entry->pw_name;
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || c == '_';
    };
    const auto inner = [&](char c) {
        return plain(c) || (c >= '0' && c <= '9') || c == '-';
    };
    if (!name || name->size() > 32 || !plain(name->front()) ||
        !std::all_of(name->begin(), name->end(), inner))
        return "pgoctl";
    return *name;
}

struct Plan {
    Options options;
    Target target;
    std::string service;
    std::string request;
    std::string user;
    HostKeyPolicy host_key;
    bool ends_with_client = true;
    bool takes_input = false;
    bool terminal = false;
};

// `exec` alone is sent what stands on standard input; with -t that is a person's terminal.
Status look_at_exec(Plan& plan, const std::vector<std::string>& args) {
    const auto request = TRY(parse_exec(args));
    plan.takes_input = true;
    plan.terminal = request.terminal;
    if (plan.terminal && ::isatty(STDIN_FILENO) != 1)
        return Error{Code::invalid, "exec -t needs a terminal on standard input: leave -t out"};
    return ok();
}

Result<Plan> plan_of(Options options) {
    Plan plan;
    plan.target = TRY(parse_target(options.target));
    plan.request = TRY(request_line(plan.target.command, options.json, options.args));
    const auto slashes = plan.target.command.find("//");
    plan.service = plan.target.command.substr(0, slashes);
    if (const auto* operation = find_operation(std::string_view(plan.target.command).substr(slashes + 2))) {
        plan.ends_with_client = operation->ends_with_client;
        if (operation->op == Op::exec)
            TRY(look_at_exec(plan, options.args));
    }
    plan.user = user_name();

    plan.host_key.host = plan.target.host;
    plan.host_key.port = options.port;
    plan.host_key.accept_new = options.accept_new;
    if (options.host_key.empty())
        options.host_key = environment("PGOCTL_HOST_KEY").value_or("");
    if (!options.host_key.empty())
        plan.host_key.pin = TRY(parse_pin(options.host_key));
    plan.host_key.known_hosts = options.known_hosts;
    if (const auto home = environment("HOME"); home && options.known_hosts.empty())
        plan.host_key.known_hosts = *home + "/.ssh/known_hosts";
    plan.options = std::move(options);
    return plan;
}

class Client {
  public:
    Client(Plan plan, Keyring keyring)
        : plan_(std::move(plan))
        , keyring_(std::move(keyring))
        , output_(plan_.ends_with_client)
        , input_(plan_.takes_input ? STDIN_FILENO : -1) {}

    int run() {
        if (!next_key())
            return exit_status::usage;
        std::string refusal; // the server's, of the key before this one
        do {
            auto session = connect();
            if (!session) {
                say(session.error().message);
                return session.error().code == Code::denied ? exit_status::host_key
                                                            : exit_status::unavailable;
            }
            const auto accepted = authenticate(*session);
            if (!accepted)
                return failed_;
            if (!*accepted)
                continue;
            const auto end = run_operation(*session);
            if (!end)
                return exit_status::unavailable;
            if (*end != exit_status::unauthorized || (refusal = output_.take_refusal()).empty()) {
                output_.release();
                return *end;
            }
            verbose("{} is not authorised for this", key_->name());
            if (!input_.begin_again()) {
                say("the server refused after it had taken input, which cannot be given to it twice");
                return exit_status::unauthorized;
            }
            if (!next_key())
                return exit_status::usage;
        } while (key_);
        if (!offered_)
            say("there is no key to offer: give one with -i, in PGOCTL_ID, or in an agent");
        say_unauthorised(refusal);
        return exit_status::unauthorized;
    }

  private:
    template<typename... Args>
    void verbose(fmt::format_string<Args...> format, Args&&... args) const {
        if (plan_.options.verbose)
            say(fmt::format(format, std::forward<Args>(args)...));
    }

    // False: the user named a key that cannot be used, and that was said.
    bool next_key() {
        auto next = keyring_.next();
        if (!next) {
            say(next.error().message);
            return false;
        }
        key_ = std::move(*next);
        return true;
    }

    Result<ssh::ClientSession> connect() {
        const std::chrono::milliseconds timeout = plan_.options.timeout;
        verbose("connecting to {} port {}", plan_.target.host, plan_.options.port);
        Fd socket = TRY(connect_tcp(plan_.target.host, plan_.options.port, timeout));
        return ssh::ClientSession::handshake(std::move(socket), {plan_.target.host, plan_.user, timeout},
                                             [this](const ssh::ServerKey& server) {
                                                 verbose("the server's key is {}", server.fingerprint);
                                                 return judge_host_key(plan_.host_key, server);
                                             });
    }

    // True: the server accepted key_. False: it cut the connection, which it may after some refusals, or
    // there is no key left. An empty result: said, and failed_ is the status.
    std::optional<bool> authenticate(ssh::ClientSession& session) {
        for (bool refused = false; key_; refused = true) {
            verbose("offering {}", key_->name());
            offered_ = true;
            auto answer = key_->offer(session);
            if (answer && *answer == ssh::Authentication::accepted) {
                verbose("the server knows {}", key_->name());
                return true;
            }
            if (!answer && answer.error().code == Code::transient) {
                if (refused)
                    return false;
                say(answer.error().message);
                failed_ = exit_status::unavailable;
                return std::nullopt;
            }
            if (!answer)
                say(answer.error().message); // this key could not be unlocked; another may do
            if (!next_key()) {
                failed_ = exit_status::usage;
                return std::nullopt;
            }
        }
        return false;
    }

    Result<ssh::CommandEnd> run_on_terminal(ssh::ClientSession& session) {
        std::optional<RawTerminal> raw;
        ssh::CommandRequest request{plan_.request, input_, {}};
        if (plan_.terminal) {
            raw.emplace();
            request.terminal = {environment("TERM").value_or("dumb"), RawTerminal::size, raw->resized()};
        }
        return session.run(request, [this](bool is_stderr, std::string_view bytes) {
            return output_.take(is_stderr, bytes);
        });
    }

    // Empty: the connection was lost, and that was said.
    std::optional<int> run_operation(ssh::ClientSession& session) {
        if (!plan_.ends_with_client)
            when_interrupted(
                fmt::format("pgoctl: the server finishes what it began; ask with `pgoctl {}{}:{}//status`\n",
                            port_option(), shown_host(), plan_.service),
                exit_status::busy);
        const auto end = run_on_terminal(session);
        when_interrupted({}, 0);
        if (!end) {
            output_.release();
            say(end.error().message);
            return std::nullopt;
        }
        if (const int error = output_.write_error(); error != 0 && error != EPIPE)
            say(errno_error("cannot write the output", error).message);
        if (end->unwanted)
            return output_.write_error() == EPIPE ? broken_pipe : exit_status::failed;
        if (end->exit_status)
            return *end->exit_status;
        output_.release();
        say(end->exit_signal.empty() ? std::string("the server ended the operation without a status")
                                     : fmt::format("the operation was ended by signal {}", end->exit_signal));
        return exit_status::internal;
    }

    void say_unauthorised(const std::string& refusal) const {
        if (!refusal.empty())
            return say_raw(refusal);
        say_raw(fmt::format("Unauthorized: Key for user \"{}\" does not match any{}{}\n", plan_.user,
                            plan_.service.empty() ? "" : " for name ", plan_.service));
    }

    std::string port_option() const {
        return plan_.options.port == default_port ? "" : fmt::format("-p {} ", plan_.options.port);
    }
    std::string shown_host() const {
        const bool bare_v6 = plan_.target.host.find(':') != std::string::npos;
        return bare_v6 ? fmt::format("[{}]", plan_.target.host) : plan_.target.host;
    }

    Plan plan_;
    Keyring keyring_;
    Output output_;
    ssh::ClientInput input_;
    std::optional<Candidate> key_;
    bool offered_ = false;
    int failed_ = 0;
};

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
    ssh::initialise_client();
    return Client(std::move(*plan), Keyring(std::move(*sources))).run();
}

} // namespace pgod::client
