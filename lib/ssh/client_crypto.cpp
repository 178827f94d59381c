#include "ssh/client_crypto.hpp"

#include "base/handle.hpp"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <string_view>

#ifdef PGOD_STATIC_LIBCRYPTO
extern "C" OSSL_provider_init_fn ossl_default_provider_init; // not exported by the shared library
#endif

namespace pgod::ssh {

namespace {

#ifdef PGOD_STATIC_LIBCRYPTO

// The first use of one cipher makes libcrypto construct all 130 of its provider, and so for each kind of
// algorithm. So the provider that pgoctl registers is the default one, cut down to what SSH and private key
// files can ask for.
constexpr std::string_view wanted[] = {
    // sessions, and the random generator (AES-256-CTR and -ECB)
    "AES-256-GCM", "AES-128-GCM", "AES-256-CTR", "AES-256-ECB", "ChaCha20", "Poly1305", "X25519", "SHA2-256",
    "SHA2-512", "HMAC", "SSHKDF",
    // keys and their signatures
    "ED25519", "EC", "ECDSA", "RSA", "SHA1", "SHA2-384",
    // private keys with a passphrase
    "AES-128-CBC", "AES-192-CBC", "AES-256-CBC", "AES-128-CTR", "AES-192-CTR", "DES-EDE3-CBC", "MD5",
    "PBKDF2"};

constexpr std::size_t max_kept = std::size(wanted) + 1; // one row each at most, and the end

OSSL_FUNC_provider_query_operation_fn* query_all = nullptr;

bool is_wanted(std::string_view names) noexcept {
    const auto first = names.substr(0, names.find(':'));
    return std::find(std::begin(wanted), std::end(wanted), first) != std::end(wanted);
}

// Rows of the provider's own table, which ends with a row without names.
template<int operation>
const OSSL_ALGORITHM* cut(const OSSL_ALGORITHM* all) noexcept {
    static std::array<OSSL_ALGORITHM, max_kept> kept{};
    std::size_t count = 0;
    for (; all != nullptr && all->algorithm_names != nullptr && count + 1 < kept.size(); ++all)
        if (is_wanted(all->algorithm_names))
            kept[count++] = *all;
    kept[count] = {};
    return kept.data();
}

const OSSL_ALGORITHM* query(void* context, int operation, int* no_cache) noexcept {
    const OSSL_ALGORITHM* all = query_all(context, operation, no_cache);
    switch (operation) {
    case OSSL_OP_DIGEST:
        return cut<OSSL_OP_DIGEST>(all);
    case OSSL_OP_CIPHER:
        return cut<OSSL_OP_CIPHER>(all);
    case OSSL_OP_MAC:
        return cut<OSSL_OP_MAC>(all);
    case OSSL_OP_KDF:
        return cut<OSSL_OP_KDF>(all);
    case OSSL_OP_KEYMGMT:
        return cut<OSSL_OP_KEYMGMT>(all);
    case OSSL_OP_KEYEXCH:
        return cut<OSSL_OP_KEYEXCH>(all);
    case OSSL_OP_SIGNATURE:
        return cut<OSSL_OP_SIGNATURE>(all);
    default: // few rows, or only read for a PEM key
        return all;
    }
}

int provide(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* in, const OSSL_DISPATCH** out,
            void** context) noexcept {
    static std::array<OSSL_DISPATCH, 16> functions{};
    const OSSL_DISPATCH* theirs = nullptr;
    if (::ossl_default_provider_init(handle, in, &theirs, context) != 1)
        return 0;
    std::size_t count = 0;
    for (; theirs->function_id != 0; ++theirs) {
        if (count + 1 == functions.size())
            return 0;
        functions[count] = *theirs;
        if (theirs->function_id == OSSL_FUNC_PROVIDER_QUERY_OPERATION) {
            query_all = OSSL_FUNC_provider_query_operation(theirs);
            functions[count].function = reinterpret_cast<void (*)(void)>(query);
        }
        ++count;
    }
    *out = functions.data();
    return query_all != nullptr ? 1 : 0;
}

#endif

} // namespace

void start_crypto() {
    // No openssl.cnf; no texts of errors, and no names of all legacy algorithms; and no tidying up of memory
    // that the kernel takes anyway.
    ::OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS |
                              OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS |
                              OPENSSL_INIT_NO_ATEXIT,
                          nullptr);
#ifdef PGOD_STATIC_LIBCRYPTO
    // Should this fail, libcrypto falls back to its default provider by itself.
    if (::OSSL_PROVIDER_add_builtin(nullptr, "pgoctl", provide) == 1)
        (void)::OSSL_PROVIDER_load(nullptr, "pgoctl");
#endif
}

void warm_crypto() {
    unsigned char seed = 0;
    (void)::RAND_bytes(&seed, 1);
    const Handle<EVP_CIPHER, ::EVP_CIPHER_free> cipher(::EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
    const Handle<EVP_MD, ::EVP_MD_free> digest(::EVP_MD_fetch(nullptr, "SHA2-256", nullptr));
    const Handle<EVP_KEYMGMT, ::EVP_KEYMGMT_free> keys(::EVP_KEYMGMT_fetch(nullptr, "X25519", nullptr));
    const Handle<EVP_KEYEXCH, ::EVP_KEYEXCH_free> exchange(::EVP_KEYEXCH_fetch(nullptr, "X25519", nullptr));
    const Handle<EVP_SIGNATURE, ::EVP_SIGNATURE_free> signature(
        ::EVP_SIGNATURE_fetch(nullptr, "ED25519", nullptr));
}

void name_key_ciphers() {
    for (const EVP_CIPHER* cipher :
         {::EVP_aes_128_cbc(), ::EVP_aes_192_cbc(), ::EVP_aes_256_cbc(), ::EVP_des_ede3_cbc()})
        ::EVP_add_cipher(cipher);
    for (const EVP_MD* digest : {::EVP_md5(), ::EVP_sha1(), ::EVP_sha256(), ::EVP_sha512()})
        ::EVP_add_digest(digest);
}

} // namespace pgod::ssh
