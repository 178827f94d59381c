#include "client/over_ssh.hpp"

#include "client/connect.hpp"
#include "client/interrupt.hpp"
#include "client/output.hpp"
#include "client/raw_terminal.hpp"
#include "client/say.hpp"
#include "core/exit_status.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace pgod::client {

namespace {

class OverSsh {
  public:
    OverSsh(Plan plan, Keyring keyring)
        : plan_(std::move(plan))
        , keyring_(std::move(keyring))
        , output_(plan_.ends_with_client)
        , input_(plan_.takes_input ? STDIN_FILENO : -1) {}

    int run() {
        if (!next_key())
            return exit_status::usage;
        do {
            auto session = connect();
            if (!session) {
                say(session.error().message);
                return session.error().code == Code::denied || session.error().code == Code::permanent
                           ? exit_status::host_key
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
            if (!refusal_)
                return *end;
            verbose("{} is not authorised for this", key_->name());
            if (!input_.begin_again()) {
                say_unauthorised();
                say("the server had taken input before it refused this key; no other key gets it");
                return exit_status::unauthorized;
            }
            if (!next_key())
                return exit_status::usage;
        } while (key_);
        if (!offered_)
            say("there is no key to offer: give one with -i, in PGOCTL_ID, or in an agent");
        say_unauthorised();
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

    // While its key changes a server has two, of different types: one that shows the wrong one is asked for
    // the other. What that shows must be known as well, else the first word counts.
    Result<ssh::ClientSession> connect() {
        auto session = connect_with(std::string(ssh::any_host_key));
        if (session || session.error().code != Code::permanent)
            return session;
        verbose("that is not the key that is known; asking for one of another type");
        auto other = connect_with(shown_type_ == "ssh-ed25519" ? "ecdsa-sha2-nistp256" : "ssh-ed25519");
        return other ? std::move(other) : std::move(session);
    }

    Result<ssh::ClientSession> connect_with(const std::string& host_key_types) {
        const std::chrono::milliseconds timeout = plan_.options.timeout;
        verbose("connecting to {} port {}", plan_.target.host, plan_.port);
        Fd socket = TRY(connect_tcp(plan_.target.host, plan_.port, timeout));
        return ssh::ClientSession::handshake(std::move(socket),
                                             {plan_.target.host, plan_.user, timeout, host_key_types},
                                             [this](const ssh::ServerKey& server) {
                                                 verbose("the server's key is {}", server.fingerprint);
                                                 shown_type_ = server.key.type;
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

    // Empty: the connection was lost, and that was said. With refusal_, another key may do.
    std::optional<int> run_operation(ssh::ClientSession& session) {
        if (!plan_.ends_with_client)
            when_interrupted(goes_on(status_command(plan_)), exit_status::busy);
        if (plan_.progress)
            output_.show_progress();
        const auto end = run_on_terminal(session);
        output_.end_progress();
        when_interrupted({}, 0);
        refusal_.reset();
        if (!end) {
            say(end.error().message);
            return std::nullopt;
        }
        if (const auto status = output_.status_of_failure(end->unwanted))
            return *status;
        if (end->refused) {
            refusal_ = end->refusal;
            return exit_status::unauthorized;
        }
        if (end->exit_status)
            return *end->exit_status;
        say(end->exit_signal.empty() ? std::string("the server ended the operation without a status")
                                     : fmt::format("the operation was ended by signal {}", end->exit_signal));
        return exit_status::internal;
    }

    void say_unauthorised() const {
        if (refusal_ && !refusal_->empty())
            return say_raw(*refusal_);
        say_raw(fmt::format("Unauthorized: Key for user \"{}\" does not match any{}{}\n", plan_.user,
                            plan_.service.empty() ? "" : " for name ", plan_.service));
    }

    Plan plan_;
    Keyring keyring_;
    Output output_;
    ssh::ClientInput input_;
    std::optional<Candidate> key_;
    std::optional<std::string> refusal_; // the server's words, of the last key that it refused
    std::string shown_type_;             // of the key that the server showed
    bool offered_ = false;
    int failed_ = 0;
};

} // namespace

int run_over_ssh(Plan plan, Keyring keyring) {
    ssh::initialise_client();
    return OverSsh(std::move(plan), std::move(keyring)).run();
}

} // namespace pgod::client
