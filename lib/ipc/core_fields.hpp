// How types of lib/base and lib/core travel within messages: the members of each, in order, once for both
// ways; what has to hold of one that was read; and the last value of each enum, above which the decoder
// refuses.
#pragma once

#include "base/identity.hpp"
#include "base/result.hpp"
#include "core/service.hpp"
#include "core/sync.hpp"
#include "core/url_claims.hpp"
#include "core/vocabulary.hpp"

#include <concepts>
#include <type_traits>

namespace pgod {

constexpr Code last_of(Code) {
    return Code::internal;
}
constexpr Outcome last_of(Outcome) {
    return Outcome::cancelled;
}
constexpr Health last_of(Health) {
    return Health::unknown;
}
constexpr Desired last_of(Desired) {
    return Desired::suspended;
}

namespace ipc {

// T, or const T when it is written.
template<typename Given, typename T>
concept Is = std::same_as<std::remove_const_t<Given>, T>;

void fields_of(auto& archive, Is<PortRange> auto& range) {
    archive(range.first);
    archive(range.last);
}

void fields_of(auto& archive, Is<UrlClaim> auto& claim) { // since when, the supervisor knows
    archive(claim.name);
    archive(claim.port);
}

void fields_of(auto& archive, Is<PublicKey> auto& key) {
    archive(key.type);
    archive(key.base64);
    archive(key.name);
    archive(key.grant.ops);
    archive(key.grant.expires);
    archive(key.grant.from);
}

void fields_of(auto& archive, Is<AddressBlock> auto& block) {
    archive(block.negated);
    archive(block.address.v6);
    for (auto& byte : block.address.bytes)
        archive(byte);
    archive(block.bits);
}

void fields_of(auto& archive, Is<Error> auto& error) {
    archive(error.code);
    archive(error.message);
}

void fields_of(auto& archive, Is<Identity> auto& identity) {
    archive(identity.name);
    archive(identity.uid);
    archive(identity.gid);
    archive(identity.groups);
    archive(identity.home);
}

template<typename T>
constexpr bool sound(const T&) {
    return true;
}
constexpr bool sound(const AddressBlock& block) {
    return block.bits <= (block.address.v6 ? 128 : 32);
}

} // namespace ipc
} // namespace pgod
