// What the store keeps, in and out: what waits to be written counts as written.
#include "store/store.hpp"

#include <algorithm>

namespace pgod::store {

Result<std::optional<reconcile::Durable>> Store::load(const std::string& service) {
    const auto waits = waiting_.find(service);
    if (waits != waiting_.end() && waits->second.durable)
        return waits->second.durable;
    StateFile* readable = TRY(file());
    if (waits == waiting_.end() || !waits->second.forgotten)
        if (auto found = TRY(readable->load(service)))
            return found;
    // Numbers go on where they ended when it was removed.
    const auto rows = TRY(deployments(service));
    if (rows.empty())
        return std::optional<reconcile::Durable>{};
    reconcile::Durable durable;
    durable.deployments = rows.front().number;
    return std::optional(durable);
}

Result<std::vector<Known>> Store::known() {
    StateFile* readable = TRY(file());
    auto found = TRY(readable->known());
    for (const auto& [service, changes] : waiting_) {
        if (changes.forgotten || changes.user)
            std::erase_if(found, [&](const Known& one) { return one.name == service; });
        if (changes.user)
            found.push_back({service, *changes.user});
    }
    return found;
}

Result<std::optional<std::string>> Store::user_of(const std::string& service) {
    if (const auto waits = waiting_.find(service); waits != waiting_.end()) {
        if (waits->second.user || waits->second.forgotten)
            return waits->second.user;
    }
    StateFile* readable = TRY(file());
    return readable->user_of(service);
}

Result<std::vector<PublicKey>> Store::load_keys(const std::string& service) {
    if (const auto waits = waiting_.find(service); waits != waiting_.end()) {
        if (waits->second.keys)
            return *waits->second.keys;
        if (waits->second.forgotten)
            return std::vector<PublicKey>{};
    }
    return TRY(file())->load_keys(service);
}

Result<std::vector<UrlClaim>> Store::load_claims(const std::string& service) {
    if (const auto waits = waiting_.find(service); waits != waiting_.end()) {
        if (waits->second.claims)
            return *waits->second.claims;
        if (waits->second.forgotten)
            return std::vector<UrlClaim>{};
    }
    return TRY(file())->load_claims(service);
}

Result<std::vector<DeploymentRow>> Store::deployments(const std::string& service) {
    StateFile* readable = TRY(file());
    auto rows = TRY(readable->deployments(service));
    if (const auto waits = waiting_.find(service); waits != waiting_.end())
        for (const auto& [number, row] : waits->second.deployments) {
            std::erase_if(rows, [number = number](const DeploymentRow& one) { return one.number == number; });
            rows.push_back(row);
        }
    std::sort(rows.begin(), rows.end(),
              [](const auto& one, const auto& other) { return one.number > other.number; });
    return rows;
}

void Store::remember(const std::string& service, const std::string& user) {
    waiting_[service].user = user;
    write();
}

void Store::save(const std::string& service, const reconcile::Durable& durable) {
    waiting_[service].durable = durable;
    write();
}

void Store::save_keys(const std::string& service, const std::vector<PublicKey>& keys) {
    waiting_[service].keys = keys;
    write();
}

void Store::save_claims(const std::string& service, const std::vector<UrlClaim>& claims) {
    waiting_[service].claims = claims;
    write();
}

void Store::save_deployment(const std::string& service, const DeploymentRow& row) {
    auto& deployments = waiting_[service].deployments;
    deployments[row.number] = row;
    if (deployments.size() > max_deployments)
        deployments.erase(deployments.begin());
    write();
}

void Store::forget(const std::string& service) {
    Changes forgotten;
    forgotten.forgotten = true;
    forgotten.deployments = std::move(waiting_[service].deployments);
    waiting_[service] = std::move(forgotten);
    write();
}

} // namespace pgod::store
