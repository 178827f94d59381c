// What the options before a key in `ssh/*.pub` or admin_keys grant, in the form of authorized_keys of
// sshd(8): pgo-ops="ps,logs" (operations, or the groups read, deploy, exec, admin),
// expiry-time="YYYYMMDD[HHMM[SS]][Z]", from="192.0.2.0/24,!192.0.2.7,10.1.*" (addresses; no host names, which
// would need the DNS). They narrow what the service's `ops` allow and never widen it. Pure. The job that
// reads the repository parses them; root gets the numbers, and reads this text from its own database only.
#pragma once

#include "base/result.hpp"
#include "core/address.hpp"
#include "core/operation.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgod {

struct KeyGrant {
    static constexpr std::size_t max_blocks = 64;
    std::optional<std::uint64_t> ops;       // a bit for each Op; none: whatever the service's `ops` allow
    std::optional<reconcile::Time> expires; // of no use from then on
    std::vector<AddressBlock> from;         // none: from anywhere
    bool operator==(const KeyGrant&) const = default;
};

// Code::invalid: one sentence, which repeats the names of options and never their values.
Result<KeyGrant> parse_key_options(std::string_view options);
std::string
key_options_text(const KeyGrant& grant); // parse_key_options() makes the same of it; empty: no options

// When and from where something is asked.
struct Circumstances {
    reconcile::Time now{};
    std::optional<Address> from; // none: not known, which matches no pattern
};
bool counts(const KeyGrant& grant, const Circumstances& circumstances);
bool grants(const KeyGrant& grant, Op op) noexcept;

} // namespace pgod
