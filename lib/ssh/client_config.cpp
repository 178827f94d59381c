#include "ssh/client_config.hpp"

#include "base/handle.hpp"
#include "base/text.hpp"
#include "ssh/ssh_error.hpp"

#include <fmt/format.h>
#include <libssh/libssh.h>
#include <unistd.h>

namespace pgod::ssh {

namespace {

using Session = Handle<ssh_session_struct, ::ssh_free>;

constexpr unsigned standard_port = 22;

void free_text(char* text) noexcept {
    ::ssh_string_free_char(text);
}

std::string option_of(ssh_session session, ssh_options_e option) {
    Handle<char, free_text> value;
    const int got = ::ssh_options_get(session, option, Out(value));
    return got == SSH_OK && value ? value.get() : "";
}

} // namespace

Result<ConfiguredHost> read_ssh_config(const std::string& file, const std::string& host) {
    if (::access(file.c_str(), R_OK) != 0) {
        Error error = errno_error("read " + escaped(file));
        error.code = Code::invalid;
        return error;
    }
    const Session session(::ssh_new());
    if (!session || ::ssh_options_set(session.get(), SSH_OPTIONS_HOST, host.c_str()) != SSH_OK)
        return Error{Code::internal, "a session could not be made"};
    const std::string usual = option_of(session.get(), SSH_OPTIONS_IDENTITY);
    if (::ssh_options_parse_config(session.get(), file.c_str()) != SSH_OK) {
        Error error = ssh_error(session.get(), "read " + escaped(file));
        error.code = Code::invalid;
        return error;
    }
    if (const auto proxy = option_of(session.get(), SSH_OPTIONS_PROXYCOMMAND); !proxy.empty())
        return Error{
            Code::invalid,
            fmt::format("{} asks for a proxy to reach {}, which pgoctl does not use: run pgoctl on that "
                        "host, or forward the port with ssh -L",
                        escaped(file), escaped(host))};
    ConfiguredHost found;
    found.name = option_of(session.get(), SSH_OPTIONS_HOST);
    unsigned port = 0;
    if (::ssh_options_get_port(session.get(), &port) == SSH_OK && port != 0 && port != standard_port)
        found.port = static_cast<std::uint16_t>(port);
    if (auto identity = option_of(session.get(), SSH_OPTIONS_IDENTITY); identity != usual)
        found.identity = std::move(identity);
    return found;
}

} // namespace pgod::ssh
