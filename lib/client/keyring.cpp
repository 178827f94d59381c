#include "client/keyring.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"
#include "client/terminal.hpp"
#include "ssh/client_key.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>

namespace pgod::client {

namespace {

using Kind = IdentitySource::Kind;

// A regular file or a pipe (`-i <(…)`). Code::gone: there is none.
Result<std::string> read_key_file(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!fd) {
        Error error = errno_error("cannot be opened");
        error.code = errno == ENOENT ? Code::gone : Code::invalid;
        return error;
    }
    std::string text;
    char block[8 * 1024];
    for (;;) {
        const ssize_t got = ::read(fd.get(), block, sizeof block);
        if (got < 0 && errno != EINTR)
            return Error{Code::invalid, errno_error("cannot be read").message};
        if (got == 0)
            return text;
        if (got > 0)
            text.append(block, static_cast<std::size_t>(got));
        if (text.size() > max_key_file_bytes)
            return Error{Code::invalid, "is too large for a key"};
    }
}

} // namespace

Candidate::Candidate(std::string name, ssh::Key key)
    : name_(std::move(name))
    , key_(std::move(key)) {}

Candidate::Candidate(std::string name, Secret locked, ssh::Key public_half)
    : name_(std::move(name))
    , locked_(std::move(locked))
    , public_half_(std::move(public_half)) {}

Candidate::Candidate(std::string name, std::string agent_socket, ssh::AgentKey key)
    : name_(std::move(name))
    , agent_socket_(std::move(agent_socket))
    , agent_key_(std::move(key)) {}

Result<ssh::Authentication> Candidate::offer(ssh::ClientSession& session) {
    if (!agent_socket_.empty())
        return session.authenticate(agent_socket_, agent_key_);
    if (!key_) {
        if (public_half_ && !TRY(session.would_accept(public_half_.get())))
            return ssh::Authentication::refused;
        const auto ask = [this] {
            return ask_secret(fmt::format("Passphrase of {}: ", escaped(name_)));
        };
        key_ = TRY_DOING(ssh::import_client_key(locked_, ask), escaped(name_));
    }
    return session.authenticate(key_.get());
}

Result<std::optional<Candidate>> Keyring::load(const IdentitySource& source) {
    if (source.kind == Kind::agent) {
        auto keys = ssh::list_agent_keys(source.path);
        agent_keys_ = keys ? std::move(*keys) : std::vector<ssh::AgentKey>{};
        next_agent_key_ = 0;
        return std::optional<Candidate>{};
    }
    Secret text = source.text;
    if (source.kind == Kind::file) {
        auto read = read_key_file(source.path);
        if (!read)
            return read.error();
        text = normalised_key_text(*read);
    }
    auto key = ssh::import_client_key(text, {});
    if (key)
        return std::optional<Candidate>(std::in_place, source.name, std::move(*key));
    if (key.error().code != Code::denied) {
        if (ssh::import_public_line(std::string(trimmed(text.reveal()))))
            return Error{Code::invalid, "it is a public key: give the private one, without .pub"};
        return key.error();
    }
    ssh::Key public_half;
    if (source.kind == Kind::file)
        if (const auto line = read_key_file(source.path + ".pub"))
            public_half = ssh::import_public_line(std::string(trimmed(*line)));
    return std::optional<Candidate>(std::in_place, source.name, std::move(text), std::move(public_half));
}

Result<std::optional<Candidate>> Keyring::next() {
    for (;;) {
        if (next_agent_key_ < agent_keys_.size()) {
            ssh::AgentKey& key = agent_keys_[next_agent_key_++];
            return std::optional<Candidate>(std::in_place, "the agent's key " + key.comment,
                                            sources_[next_source_ - 1].path, std::move(key));
        }
        if (next_source_ == sources_.size())
            return std::optional<Candidate>{};
        const IdentitySource& source = sources_[next_source_++];
        auto loaded = load(source);
        if (!loaded && source.asked_for)
            return std::move(loaded).error().context(escaped(source.name));
        if (loaded && *loaded)
            return loaded;
    }
}

} // namespace pgod::client
