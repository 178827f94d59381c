// The table of deployments, also of services that were removed.
#include "store/state_file.hpp"

namespace pgod::store {

Result<std::vector<DeploymentRow>> StateFile::deployments(const std::string& service) {
    auto row = TRY(prepare("SELECT number, hash, began, who, started, ended, outcome, cause, reason, removed "
                           "FROM deployments WHERE service = ? ORDER BY number DESC",
                           service));
    row.bind(service);
    std::vector<DeploymentRow> found;
    while (TRY(row.next()))
        found.push_back({row.number(0), row.text(1), trigger_named(row.text(2)).value_or(Trigger::poll),
                         row.text(3), row.time(4).value_or(reconcile::Time{}), row.time(5),
                         outcome_named(row.text(6)), row.text(7), row.text(8), row.number(9) != 0});
    return found;
}

Status StateFile::write_deployment(const std::string& service, const DeploymentRow& row) {
    auto insert =
        TRY(prepare("INSERT OR REPLACE INTO deployments (service, number, hash, began, who, started, ended, "
                    "outcome, cause, reason, removed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    service));
    insert.bind(service).bind(row.number).bind(row.commit).bind(name_of(row.trigger)).bind(row.who);
    insert.bind(row.started).bind(row.ended);
    if (row.outcome)
        insert.bind(name_of(*row.outcome));
    else
        insert.bind_null();
    return insert.bind(row.cause).bind(row.reason).bind(std::uint64_t{row.removed}).run();
}

Status StateFile::drop_old_deployments(const std::string& service) {
    auto old = TRY(
        prepare("DELETE FROM deployments WHERE service = ?1 AND number <= (SELECT number FROM deployments "
                "WHERE service = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)",
                service));
    TRY(old.bind(service).bind(std::uint64_t{max_deployments}).run());
    auto gone = TRY(
        prepare("DELETE FROM deployments WHERE service IN (SELECT service FROM deployments WHERE removed = 1 "
                "AND service NOT IN (SELECT name FROM known) "
                "GROUP BY service ORDER BY max(started) DESC LIMIT -1 OFFSET ?)",
                service));
    return gone.bind(std::uint64_t{max_removed_services}).run();
}

} // namespace pgod::store
