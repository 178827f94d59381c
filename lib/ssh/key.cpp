#include "ssh/key.hpp"

#include "base/text.hpp"

#include <libssh/libssh.h>

#include <bit>
#include <optional>
#include <string_view>

namespace pgod::ssh {

namespace {

using Text = Handle<char, ::ssh_string_free_char>;

// One length-prefixed field of a key blob (RFC 4251 section 5), taken off its front.
std::optional<std::string_view> take_field(std::string_view& blob) noexcept {
    if (blob.size() < 4)
        return std::nullopt;
    std::size_t size = 0;
    for (int i = 0; i < 4; ++i)
        size = size << 8 | static_cast<unsigned char>(blob[static_cast<std::size_t>(i)]);
    if (size > blob.size() - 4)
        return std::nullopt;
    const auto field = blob.substr(4, size);
    blob.remove_prefix(4 + size);
    return field;
}

// The length of the modulus: "ssh-rsa", e, n (RFC 4253 section 6.6). libssh has no call for it.
int rsa_bits(std::string_view base64) {
    const auto decoded = base64_decoded(base64);
    if (!decoded)
        return 0;
    std::string_view blob = *decoded;
    if (!take_field(blob) || !take_field(blob))
        return 0;
    auto modulus = take_field(blob).value_or("");
    while (modulus.starts_with('\0'))
        modulus.remove_prefix(1);
    if (modulus.empty() || modulus.size() > 4096)
        return 0;
    return static_cast<int>(modulus.size() - 1) * 8 +
           std::bit_width(static_cast<unsigned char>(modulus.front()));
}

} // namespace

void KeyDeleter::operator()(ssh_key_struct* key) const noexcept {
    ::ssh_key_free(key);
}

Result<Key> import_private_key(const Secret& text) {
    Key key;
    if (::ssh_pki_import_privkey_base64(text.reveal().c_str(), "", nullptr, nullptr, Out(key)) != SSH_OK)
        return Error{Code::invalid, "not a private key in OpenSSH or PEM format without a passphrase"};
    return key;
}

Result<PublicKey> public_key_of(ssh_key_struct* key) {
    const char* type = ::ssh_key_type_to_char(::ssh_key_type(key));
    if (type == nullptr || !is_accepted_key_type(type))
        return Error{Code::denied, "keys of this type are not accepted"};
    Text base64;
    if (::ssh_pki_export_pubkey_base64(key, Out(base64)) != SSH_OK)
        return Error{Code::invalid, "this key has no public half"};
    if (type == std::string_view("ssh-rsa") && rsa_bits(base64.get()) < rsa_min_bits)
        return Error{Code::denied, "RSA keys must have at least 2048 bits"};
    return PublicKey{type, base64.get(), {}};
}

Result<std::string> fingerprint_of(ssh_key_struct* key) {
    struct Hash {
        unsigned char* bytes = nullptr;
        std::size_t size = 0;
        ~Hash() { ::ssh_clean_pubkey_hash(&bytes); }
    } hash;
    if (::ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash.bytes, &hash.size) != SSH_OK)
        return Error{Code::invalid, "this key has no fingerprint"};
    const Text text(::ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash.bytes, hash.size));
    if (!text)
        return Error{Code::internal, "out of memory"};
    return std::string(text.get());
}

Result<HostKeyType> host_key_type_of(ssh_key_struct* key) {
    const auto type = ::ssh_key_type(key);
    if (type == SSH_KEYTYPE_ED25519)
        return HostKeyType::ed25519;
    if (type == SSH_KEYTYPE_ECDSA_P256)
        return HostKeyType::ecdsa;
    return Error{Code::invalid, "a host key must be ed25519, or ECDSA of P-256"};
}

Result<Secret> make_host_key(HostKeyType type) {
    Key key;
    const auto wanted = type == HostKeyType::ed25519 ? SSH_KEYTYPE_ED25519 : SSH_KEYTYPE_ECDSA_P256;
    if (::ssh_pki_generate(wanted, type == HostKeyType::ed25519 ? 0 : 256, Out(key)) != SSH_OK)
        return Error{Code::internal, "cannot make a host key"};
    Text text;
    if (::ssh_pki_export_privkey_base64(key.get(), nullptr, nullptr, nullptr, Out(text)) != SSH_OK)
        return Error{Code::internal, "cannot write out a host key"};
    return Secret(text.get());
}

} // namespace pgod::ssh
