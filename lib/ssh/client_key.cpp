#include "ssh/client_key.hpp"

#include "core/public_key.hpp"

#include <libssh/libssh.h>

#include <cstring>

namespace pgod::ssh {

namespace {

struct Prompt {
    const AskPassphrase& ask;
    bool wanted = false;
    bool given = false;

    int answer(char* buffer, std::size_t size) {
        wanted = true;
        const auto passphrase = ask ? ask() : std::nullopt;
        if (!passphrase || passphrase->reveal().size() >= size)
            return -1;
        given = true;
        std::memcpy(buffer, passphrase->reveal().c_str(), passphrase->reveal().size() + 1);
        return 0;
    }
};

int ask_passphrase(const char*, char* buffer, std::size_t size, int, int, void* prompt) noexcept {
    return static_cast<Prompt*>(prompt)->answer(buffer, size);
}

} // namespace

Result<Key> import_client_key(const Secret& text, const AskPassphrase& ask) {
    Prompt prompt{ask};
    Key key;
    if (::ssh_pki_import_privkey_base64(text.reveal().c_str(), nullptr, ask_passphrase, &prompt, Out(key)) ==
        SSH_OK)
        return key;
    if (prompt.given)
        return Error{Code::invalid, "the passphrase is wrong"};
    if (prompt.wanted)
        return Error{Code::denied, "it has a passphrase, and there is no terminal to ask for it"};
    return Error{Code::invalid, "it is not a private key in OpenSSH or PEM format"};
}

Key import_public_line(const std::string& line) {
    Key key;
    const auto parsed = parse_key_line(line);
    if (parsed && *parsed)
        (void)::ssh_pki_import_pubkey_base64((*parsed)->base64.c_str(),
                                             ::ssh_key_type_from_name((*parsed)->type.c_str()),
                                             Out(key)); // a type that libssh does not know leaves it null
    return key;
}

} // namespace pgod::ssh
