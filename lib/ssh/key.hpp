// Keys of libssh and what pgod calls them: the owner of a handle, the text form that grants are compared by,
// and the fingerprint that people compare.
#pragma once

#include "base/handle.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "core/public_key.hpp"

#include <string>

struct ssh_key_struct;

namespace pgod::ssh {

inline constexpr int rsa_min_bits = 2048;

struct KeyDeleter {
    void operator()(ssh_key_struct* key) const noexcept;
};
using Key = std::unique_ptr<ssh_key_struct, KeyDeleter>;

// A private key in OpenSSH or PEM format, without a passphrase. Code::invalid otherwise.
Result<Key> import_private_key(const Secret& text);

// The public half as type and base64, name empty. Code::denied: types that pgod does not accept, certificates
// among them (libssh verifies nothing about their authority or validity), and RSA below 2048 bits, whose
// signatures libssh would leave without any answer.
Result<PublicKey> public_key_of(ssh_key_struct* key);

Result<std::string> fingerprint_of(ssh_key_struct* key); // SHA256:…

// What a server's key can be. SSH serves one of each at most.
enum class HostKeyType { ed25519, ecdsa };                 // ECDSA of P-256
Result<HostKeyType> host_key_type_of(ssh_key_struct* key); // Code::invalid: another

// A new private key in OpenSSH format, without a passphrase.
Result<Secret> make_host_key(HostKeyType type);

} // namespace pgod::ssh
