// libcrypto as pgoctl needs it: ready in a fraction of the time. Runs in pgoctl, before anything else uses
// libcrypto.
//
// A process that lives for three milliseconds pays for what libcrypto does once. Measured for a whole `ping`,
// in instructions: 15.5 million as libcrypto comes, 7.3 of them for looking algorithms up.
#pragma once

namespace pgod::ssh {

void start_crypto();

// Looks up what a handshake needs and seeds the random generator: to be called while the server is busy
// anyway.
void warm_crypto();

// The names of ciphers and digests that an encrypted PEM key may ask for.
void name_key_ciphers();

} // namespace pgod::ssh
