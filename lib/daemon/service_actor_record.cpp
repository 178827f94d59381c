// What a service's actor remembers over a restart, and what it writes down.
#include "base/text.hpp"
#include "core/dns_name.hpp"
#include "daemon/service_actor.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgod::daemon {

namespace {

constexpr std::size_t max_reason = 1000; // bytes of a row; the log has the rest

} // namespace

reconcile::Time wall_clock() {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

// Nothing is done about a service before it is known what its operators had asked for.
Status ServiceActor::recall() {
    auto durable = TRY(ports_.store.load(service_.name));
    auto keys = TRY(ports_.store.load_keys(service_.name));
    claims_ = TRY(ports_.store.load_claims(service_.name));
    ports_.claims_changed();
    const auto user = TRY(ports_.store.user_of(service_.name));
    recalled_ = true;
    if (durable)
        state_.durable = std::move(*durable);
    adopt_keys(std::move(keys));
    if (!user)
        ports_.store.remember(service_.name, service_.user);
    if (user && *user != service_.user) { // changed while pgod did not run: first taken down as the old one
        service_.user = *user;
        remove(true);
    }
    return ok();
}

void ServiceActor::write_down() {
    if (!recalled_)
        return;
    ports_.store.remember(service_.name, service_.user);
    ports_.store.save(service_.name, state_.durable);
    ports_.store.save_keys(service_.name, keys_);
    ports_.store.save_claims(service_.name, *claims_);
    if (deployment_)
        ports_.store.save_deployment(service_.name, *deployment_);
}

void ServiceActor::save_and_adopt_keys(std::vector<PublicKey> keys) {
    ports_.store.save_keys(service_.name, keys);
    adopt_keys(std::move(keys));
}

void ServiceActor::adopt_keys(std::vector<PublicKey> keys) {
    keys_ = keys;
    ports_.keys.set_service(service_.name, std::move(keys));
}

// Of what runs now, as its record says; a worker that did not see a record says nothing about it. It is the
// user's process, so each name is read anew, and core/url_claims decides which of them count.
void ServiceActor::adopt_claims(const ipc::WorkDone& done) {
    if (!is_commit_id(done.running_commit) || !claims_)
        return;
    std::vector<UrlClaim> claims;
    for (const auto& [name, port, never] : done.urls) {
        const auto same = [&name = name](const UrlClaim& one) {
            return one.name == name;
        };
        if (claims.size() == max_url_claims || dns_name(name) != name || port == 0 ||
            std::any_of(claims.begin(), claims.end(), same))
            continue;
        const auto before = std::find_if(claims_->begin(), claims_->end(), same);
        claims.push_back({name, port, before == claims_->end() ? wall_clock() : before->since});
    }
    std::sort(claims.begin(), claims.end(),
              [](const UrlClaim& one, const UrlClaim& other) { return one.name < other.name; });
    if (claims == *claims_)
        return;
    claims_ = std::move(claims);
    ports_.store.save_claims(service_.name, *claims_);
    ports_.claims_changed();
}

void ServiceActor::begin_deployment(const reconcile::StartWork& action) {
    deployment_.emplace();
    deployment_->number = action.deployment;
    deployment_->commit = action.commit;
    deployment_->trigger = action.trigger;
    deployment_->who = action.who;
    deployment_->started = wall_clock();
    ports_.store.save_deployment(service_.name, *deployment_);
}

void ServiceActor::end_deployment(const ipc::WorkDone& done) {
    if (!deployment_)
        return;
    deployment_->ended = wall_clock();
    if (deployment_->commit.empty()) // of a rollback: only its worker knows which versions are kept
        deployment_->commit = done.running_commit;
    const auto outcome = done.outcome.value_or(done.error ? Outcome::failed : Outcome::ok);
    deployment_->outcome = outcome;
    ports_.tally.deployed(service_.name, outcome);
    ports_.tally.deployment_took(outcome, *deployment_->ended - deployment_->started);
    if (done.error) {
        deployment_->cause = name_of(done.error->code);
        deployment_->reason = shortened(done.error->message, max_reason);
    }
    ports_.store.save_deployment(service_.name, *deployment_);
    deployment_.reset();
}

void ServiceActor::record_superseded(const reconcile::Supersede& action) {
    store::DeploymentRow row;
    row.number = action.deployment;
    row.commit = action.commit;
    row.trigger = Trigger::command;
    row.who = action.who;
    row.started = wall_clock();
    row.ended = row.started;
    row.outcome = Outcome::superseded;
    row.reason = fmt::format("superseded by {}", action.by.substr(0, 8));
    ports_.tally.deployed(service_.name, Outcome::superseded);
    ports_.store.save_deployment(service_.name, row);
}

// Of deployments whose end no pgod saw: what runs now tells how the last one ended.
bool ServiceActor::has_unfinished() {
    const auto rows = ports_.store.deployments(service_.name);
    return rows && std::any_of(rows->begin(), rows->end(), [](const auto& row) { return !row.ended; });
}

void ServiceActor::close_unfinished(const ipc::WorkDone& seen) {
    auto rows = ports_.store.deployments(service_.name);
    for (auto& row : rows ? *rows : std::vector<store::DeploymentRow>{}) {
        if (row.ended)
            continue;
        row.ended = wall_clock();
        const bool runs = seen.deployment == row.number;
        row.outcome = runs ? Outcome::ok : Outcome::failed;
        ports_.tally.deployed(service_.name, *row.outcome);
        row.cause = runs ? "" : name_of(Code::internal);
        row.reason = runs ? "it ended while pgod did not run"
                          : fmt::format("pgod ended before it did; what runs is {}",
                                        seen.running_commit.empty()
                                            ? "nothing"
                                            : fmt::format("{} of deployment {}",
                                                          seen.running_commit.substr(0, 8), seen.deployment));
        ports_.store.save_deployment(service_.name, row);
    }
}

} // namespace pgod::daemon
