// What is kept of each service: its durable state, its keys, and that it is known.
#include "store/state_file.hpp"

#include <algorithm>

namespace pgod::store {

Result<std::optional<reconcile::Durable>> StateFile::load(const std::string& service) {
    auto row = TRY(
        prepare("SELECT desired, desired_by, desired_since, settled, last_good, waiting, outcome, reason, "
                "deployments, suspended_by, suspended_since, suspended_until, suspended_reason, decision, "
                "decided, stopping, decision_kind, decision_commit FROM services WHERE name = ?",
                service));
    row.bind(service);
    reconcile::Durable durable;
    if (!TRY(row.next()))
        return std::optional<reconcile::Durable>{};
    durable.intent.desired = desired_named(row.text(0)).value_or(Desired::running);
    durable.intent.by = row.text(1);
    durable.intent.since = row.time(2);
    durable.settled = row.text(3);
    durable.last_good = row.text(4);
    durable.waiting = row.text(5);
    durable.outcome = outcome_named(row.text(6));
    durable.reason = row.text(7);
    durable.deployments = row.number(8);
    if (const auto since = row.time(10))
        durable.suspension = reconcile::Suspension{row.text(9), *since, row.time(11), row.text(12)};
    durable.decision = {row.text(13), row.time(14),
                        decision_kind_named(row.text(16)).value_or(DecisionKind::none), row.text(17)};
    if (const auto* stopping = find_operation(row.text(15)))
        durable.stopping = stopping->op;
    durable.quarantine = TRY(load_quarantine(service));
    return std::optional(std::move(durable));
}

Result<std::vector<reconcile::Quarantined>> StateFile::load_quarantine(const std::string& service) {
    auto row = TRY(prepare(
        "SELECT hash, reason, since, held FROM quarantine WHERE service = ? ORDER BY position", service));
    row.bind(service);
    std::vector<reconcile::Quarantined> found;
    while (TRY(row.next()))
        found.push_back(
            {row.text(0), row.text(1), row.time(2).value_or(reconcile::Time{}), row.number(3) != 0});
    return found;
}

Status StateFile::write_durable(const std::string& service, const reconcile::Durable& durable) {
    auto row = TRY(prepare("INSERT OR REPLACE INTO services (name, desired, desired_by, desired_since, "
                           "settled, last_good, waiting, "
                           "outcome, reason, deployments, suspended_by, suspended_since, suspended_until, "
                           "suspended_reason, decision, "
                           "decided, stopping, decision_kind, decision_commit) "
                           "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                           service));
    row.bind(service)
        .bind(name_of(durable.intent.desired))
        .bind(durable.intent.by)
        .bind(durable.intent.since);
    row.bind(durable.settled).bind(durable.last_good).bind(durable.waiting);
    if (durable.outcome)
        row.bind(name_of(*durable.outcome));
    else
        row.bind_null();
    row.bind(durable.reason).bind(durable.deployments);
    if (const auto& suspension = durable.suspension)
        row.bind(suspension->by).bind(suspension->since).bind(suspension->until).bind(suspension->reason);
    else
        row.bind("").bind_null().bind_null().bind("");
    row.bind(durable.decision.sentence).bind(durable.decision.at);
    row.bind(durable.stopping ? std::string(operation_of(*durable.stopping).name) : std::string());
    row.bind(name_of(durable.decision.kind)).bind(durable.decision.commit);
    TRY(row.run());
    return write_quarantine(service, durable.quarantine);
}

Status StateFile::write_quarantine(const std::string& service,
                                   const std::vector<reconcile::Quarantined>& quarantine) {
    TRY(remove("DELETE FROM quarantine WHERE service = ?", service));
    const auto kept = std::min(quarantine.size(), reconcile::Durable::max_quarantine);
    std::uint64_t position = 0;
    for (auto entry = quarantine.end() - static_cast<std::ptrdiff_t>(kept); entry != quarantine.end();
         ++entry) {
        auto row = TRY(prepare(
            "INSERT INTO quarantine (service, position, hash, reason, since, held) VALUES (?, ?, ?, ?, ?, ?)",
            service));
        TRY(row.bind(service)
                .bind(position++)
                .bind(entry->commit)
                .bind(entry->reason)
                .bind(entry->since)
                .bind(std::uint64_t{entry->held ? 1U : 0U})
                .run());
    }
    return ok();
}

Status StateFile::write_user(const std::string& service, const std::string& user) {
    auto row = TRY(prepare("INSERT OR REPLACE INTO known (name, user) VALUES (?, ?)", service));
    return row.bind(service).bind(user).run();
}

Result<std::vector<Known>> StateFile::known() {
    auto row = TRY(prepare("SELECT name, user FROM known", "all"));
    std::vector<Known> found;
    while (TRY(row.next()))
        found.push_back({row.text(0), row.text(1)});
    return found;
}

Result<std::optional<std::string>> StateFile::user_of(const std::string& service) {
    auto row = TRY(prepare("SELECT user FROM known WHERE name = ?", service));
    if (!TRY(row.bind(service).next()))
        return std::optional<std::string>{};
    return std::optional(row.text(0));
}

Status StateFile::forget(const std::string& service) {
    for (const char* sql : {"DELETE FROM keys WHERE service = ?", "DELETE FROM services WHERE name = ?",
                            "DELETE FROM claims WHERE service = ?",
                            "DELETE FROM quarantine WHERE service = ?", "DELETE FROM known WHERE name = ?"})
        TRY(remove(sql, service));
    return ok();
}

Result<std::vector<PublicKey>> StateFile::load_keys(const std::string& service) {
    auto row = TRY(prepare("SELECT type, base64, name, options FROM keys WHERE service = ?", service));
    row.bind(service);
    std::vector<PublicKey> keys;
    while (TRY(row.next()))
        // One whose options are not understood grants nothing.
        if (auto grant = parse_key_options(row.text(3)))
            keys.push_back({row.text(0), row.text(1), row.text(2), std::move(*grant)});
    return keys;
}

Result<std::vector<UrlClaim>> StateFile::load_claims(const std::string& service) {
    auto row = TRY(prepare("SELECT name, port, since FROM claims WHERE service = ? ORDER BY name", service));
    row.bind(service);
    std::vector<UrlClaim> claims;
    while (TRY(row.next()))
        claims.push_back({row.text(0), static_cast<std::uint16_t>(row.number(1)),
                          row.time(2).value_or(reconcile::Time{})});
    return claims;
}

Status StateFile::write_claims(const std::string& service, const std::vector<UrlClaim>& claims) {
    TRY(remove("DELETE FROM claims WHERE service = ?", service));
    for (const auto& claim : claims) {
        auto row =
            TRY(prepare("INSERT INTO claims (service, name, port, since) VALUES (?, ?, ?, ?)", service));
        TRY(row.bind(service).bind(claim.name).bind(std::uint64_t{claim.port}).bind(claim.since).run());
    }
    return ok();
}

Status StateFile::write_keys(const std::string& service, const std::vector<PublicKey>& keys) {
    TRY(remove("DELETE FROM keys WHERE service = ?", service));
    for (const auto& key : keys) {
        auto row = TRY(prepare(
            "INSERT INTO keys (service, type, base64, name, options) VALUES (?, ?, ?, ?, ?)", service));
        row.bind(service).bind(key.type).bind(key.base64).bind(key.name);
        TRY(row.bind(key_options_text(key.grant)).run());
    }
    return ok();
}

} // namespace pgod::store
