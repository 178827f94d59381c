#include "compose/changeover.hpp"

#include "compose/crash_point.hpp"
#include "compose/ending.hpp"
#include "compose/image_users.hpp"
#include "compose/kept.hpp"
#include "compose/kept_values.hpp"
#include "compose/need.hpp"
#include "compose/nested_mounts.hpp"
#include "compose/observe.hpp"
#include "compose/obstacles.hpp"
#include "compose/planning.hpp"
#include "compose/ports.hpp"
#include "compose/shared_binds.hpp"
#include "compose/space.hpp"
#include "compose/stopping.hpp"
#include "compose/verify.hpp"
#include "core/exit_status.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

namespace pgod::compose {

namespace {

std::string brief(const std::string& commit) {
    return commit.substr(0, 12);
}

// The containers of the record that are in `names` and are what was recorded.
std::vector<RecordedContainer> still_there(const Record& record, const std::set<std::string>& names,
                                           std::span<const Container> seen) {
    std::vector<RecordedContainer> there;
    for (const auto& recorded : record.containers) {
        const Container* container = find_container(seen, recorded.name);
        if (names.contains(recorded.name) && container != nullptr && container->id == recorded.id &&
            (container->state == "running" || recorded.ended || recorded.just_ended))
            there.push_back(recorded);
    }
    return there;
}

} // namespace

Status Changeover::stage(Record next, const std::string& source, FilesOf kind) {
    next_ = std::move(next);
    if (kind == FilesOf::stage) // a rollback links its files
        TRY(check_files_space(work_));
    files_ = TRY(prepare_release(work_.directory, source, kind));
    staged_ = true;
    seen_ = TRY(work_.podman.containers());
    if (running_)
        (void)note_endings(work_.podman, *running_, owned_by(seen_, work_.job.service));
    tree_ = TRY(make_public_directories(work_.directory.fd(), "tree"));
    FoundObjects objects(work_.podman);
    return check_obstacles(work_, next_.plan, {seen_, running_ ? &*running_ : nullptr, tree_.get(), source},
                           objects);
}

void Changeover::use(FetchedImages images) {
    images_ = std::move(images);
    next_.images = images_.ids;
}

JobResult Changeover::follow() {
    next_.containers = running_->containers;
    // What a crash left may stand in the work tree, whatever the record says.
    const bool unfinished = has_unfinished(work_.directory);
    if (files_.changed.empty() && running_->commit == next_.commit && running_->plan == next_.plan &&
        running_->notes == next_.notes && !unfinished) {
        (void)discard_release(work_.directory);
        clean_up_after_a_crash();
        work_.output.say(fmt::format("{} runs already", brief(next_.commit)));
        return ended(Outcome::ok, exit_status::done);
    }
    if (auto followed = follow_files(); !followed)
        return ended(Outcome::failed, exit_status::failed, followed.error());
    if (unfinished)
        clean_up_after_a_crash();
    running_ = next_;
    work_.output.say(fmt::format("the work tree is at {}; no container had to change", brief(next_.commit)));
    return ended(Outcome::ok, exit_status::done);
}

Status Changeover::follow_files() {
    WorkTreeUpdate update(tree_.get(), files_.directory.get(), files_.tree,
                          TRY(known_files(work_.directory)));
    update.keep_directories(bind_sources(next_.plan, stage_));
    update.leave_alone(bind_sources(next_.plan, stage_));
    TRY(update.prepare());
    TRY(write_record(work_.directory, next_release, next_));
    crash_point("follow-recorded");
    TRY(apply(update));
    crash_point("followed");
    return publish_release(work_.directory, next_);
}

Status Changeover::apply(WorkTreeUpdate& update) {
    for (const auto& sentence : TRY(update.apply()))
        work_.output.say(sentence);
    return forget_unfinished(work_.directory);
}

Status Changeover::prepare() {
    if (work_.job.deadline - std::chrono::steady_clock::now() < time_to_switch(work_.job))
        return Error{Code::transient, fmt::format("less than {} of this deployment's time are left, too "
                                                  "little to change what runs; it will be tried again",
                                                  std::chrono::duration_cast<std::chrono::seconds>(
                                                      time_to_switch(work_.job)))};
    TRY(check_ports(next_.plan, owned_by(seen_, work_.job.service)));
    if (running_) {
        TRY(check_kept_values(work_, running_->plan, seen_));
        TRY(keep_values(work_, running_->plan));
    }
    TRY(check_image_users(work_, next_.plan, images_.ids));
    TRY(keep_images(work_, images_));
    crash_point("images-kept");
    around_ = TRY(Surroundings::look(work_, next_.plan));
    free_networks(around_, next_.plan);
    TRY(around_.make_missing(work_, next_.plan));
    crash_point("surroundings-made");
    update_.emplace(tree_.get(), files_.directory.get(), files_.tree, TRY(known_files(work_.directory)));
    update_->keep_directories(bind_sources(next_.plan, stage_));
    TRY(update_->prepare());
    crash_point("files-beside");
    return write_record(work_.directory, next_release, next_);
}

JobResult Changeover::switch_over() {
    changed_ = true;
    if (auto switched = switch_to(); !switched)
        return roll_back(switched.error());
    if (auto published = publish_release(work_.directory, next_); !published)
        return ended(Outcome::failed, exit_status::internal, published.error());
    running_ = next_;
    crash_point("published");
    if (auto kept = keep_values(work_, next_.plan); !kept)
        work_.output.say(kept.error().message);
    around_.remove_obsolete(work_);
    remove_unused_copies(work_);
    crash_point("networks-removed");
    remove_images();
    crash_point("cleaned-up");
    return ended(Outcome::ok, exit_status::done);
}

// A deployment that published its commit and was killed before its last steps.
void Changeover::clean_up_after_a_crash() {
    if (const auto around = Surroundings::look(work_, next_.plan))
        around->remove_obsolete(work_);
    remove_unused_copies(work_);
    remove_images();
}

void Changeover::remove_images() const {
    ImageIds wanted = images_.ids;
    for (const auto& kept : kept_releases(work_.directory))
        for (const auto& [image, id] : kept.images)
            wanted.emplace(fmt::format("{} {}", kept.deployment, image), id);
    remove_old_images(work_, wanted);
}

Status Changeover::switch_to() {
    work_.progress("switch");
    if (running_)
        next_.containers = still_there(*running_, untouched_, seen_);
    TRY(remove_all_but(next_.containers));
    crash_point("containers-removed");
    TRY(around_.replace_networks(work_, next_.plan));
    crash_point("networks-replaced");
    TRY(apply(*update_));
    crash_point("files-in-place");
    TRY(run_containers(work_, next_, next_release, next_.containers));
    crash_point("containers-run");
    // Another service may have begun meanwhile.
    if (const auto found = TRY(check_shared_binds(work_, next_.plan)); !found.empty())
        return Error{Code::permanent, summary_of(found)};
    look_at_names(next_);
    work_.progress("verify");
    TRY(verify(work_, next_, limits_of(work_.job)));
    crash_point("verified");
    return ok();
}

// A warning and no failure: the service may not need the names, or did without them before.
void Changeover::look_at_names(Record& record) const {
    record.without_dns = networks_without_dns(work_, record.plan);
    for (const auto& network : record.without_dns)
        work_.output.say("warning: " + without_names(network));
}

JobResult Changeover::roll_back(const Error& cause) {
    work_.output.say(cause.message);
    show_failures(work_, next_);
    update_.reset();
    crash_point("failure-shown");
    work_.progress("roll back");
    const auto restored = bring_back();
    if (!restored)
        return ended(Outcome::failed, exit_status::unhealthy,
                     Error{cause.code, fmt::format("{}; and the version before could not be brought back: {}",
                                                   cause.message, restored.error().message)});
    if (!running_)
        return ended(Outcome::failed, exit_status::unhealthy, cause);
    work_.output.say(fmt::format("rolled back to {}", brief(running_->commit)));
    return ended(Outcome::rolled_back, exit_status::rolled_back, cause);
}

// Whatever was done to a network by hand: what uses it cannot stay when it is made anew.
void Changeover::free_networks(const Surroundings& around, const Plan& plan) {
    for (const auto& network : around.to_be_replaced())
        for (const auto& container : plan.containers)
            if (uses_network(container, network))
                untouched_.erase(container.name);
}

Status Changeover::remove_all_but(std::span<const RecordedContainer> stay) {
    auto owned = owned_by(seen_, work_.job.service);
    std::erase_if(owned, [stay](const Container& container) {
        return std::any_of(stay.begin(), stay.end(),
                           [&container](const RecordedContainer& one) { return one.id == container.id; });
    });
    // The new file's period as well, as Compose does it: the old container may be from a time without one.
    return remove_containers(work_, owned, longest_period(next_.plan));
}

// A commit that cannot be deployed is no reason to leave the last good one down, after a reboot for one.
Status Changeover::restore() {
    if (!running_)
        return ok();
    seen_ = TRY(work_.podman.containers());
    const auto health = health_of(expected_containers(*running_), owned_by(seen_, work_.job.service));
    if (health != Health::missing && health != Health::degraded)
        return ok();
    TRY(pass_gate(work_));
    return bring_back_but(running_->plan.model.recreates_only_changed() ? names_of_good(*running_, seen_)
                                                                        : std::set<std::string>());
}

Status Changeover::undo() {
    seen_ = TRY(work_.podman.containers());
    return bring_back_but(names_of_good(*running_, seen_));
}

Status Changeover::bring_back_but(std::set<std::string> untouched) {
    TRY(judge_again(work_, running_->plan, running_release));
    work_.output.say(fmt::format("bringing back {}", brief(running_->commit)));
    work_.progress("roll back");
    if (!tree_)
        tree_ = TRY(make_public_directories(work_.directory.fd(), "tree"));
    FoundObjects objects(work_.podman);
    TRY(check_obstacles(work_, running_->plan,
                        {seen_, &*running_, tree_.get(), std::string(running_release) + "/files"}, objects));
    TRY(set_leftover_aside(work_.directory));
    files_ = {};
    changed_ = true;
    untouched_ = std::move(untouched);
    return bring_back();
}

// Those of a first deployment that failed.
Status Changeover::remove_networks() {
    Plan nothing;
    nothing.project = next_.plan.project;
    TRY(Surroundings::look(work_, nothing)).remove_obsolete(work_);
    return ok();
}

// By the old record alone: its plan, its image ids, its copy of the files. With none, there is nothing to
// bring back.
Status Changeover::bring_back() {
    seen_ = TRY(work_.podman.containers());
    if (!running_) {
        TRY(remove_all_but({}));
        remove_unused_copies(work_);
        return remove_networks();
    }
    const auto around = TRY(Surroundings::look(work_, running_->plan));
    free_networks(around, running_->plan);
    std::vector<RecordedContainer> stay = still_there(*running_, untouched_, seen_);
    TRY(remove_all_but(stay));
    crash_point("rollback-removed");
    std::vector<KnownFiles> known = TRY(known_files(work_.directory));
    Fd files = TRY(work_.directory.open_directory(std::string(running_release) + "/files"));
    Tree tree = TRY(list_tree(files.get()));
    if (files_.directory)
        known.push_back({std::move(files_.directory), std::move(files_.tree)});
    WorkTreeUpdate update(tree_.get(), files.get(), std::move(tree), std::move(known));
    update.keep_directories(bind_sources(running_->plan, stage_));
    TRY(update.prepare());
    crash_point("rollback-files-beside");
    TRY(apply(update));
    crash_point("rollback-files-in-place");
    TRY(around.make_missing(work_, running_->plan));
    TRY(around.replace_networks(work_, running_->plan));
    running_->containers = std::move(stay);
    TRY(run_containers(work_, *running_, running_release, running_->containers));
    look_at_names(*running_);
    crash_point("rollback-containers-run");
    TRY(write_record(work_.directory, running_release, *running_));
    crash_point("rollback-recorded");
    TRY(discard_release(work_.directory));
    crash_point("rollback-discarded");
    TRY(verify(work_, *running_, limits_of(work_.job)));
    crash_point("rollback-verified");
    around.remove_obsolete(work_); // those of the version that failed
    remove_unused_copies(work_);
    return write_record(work_.directory, running_release, *running_); // now with what had ended
}

// It ended with the old version untouched, which may not be what it should be for another reason.
JobResult Changeover::not_started(const Error& error, bool rejected) {
    update_.reset();
    if (staged_) // an `incoming` of before was set aside, this one is ours
        (void)discard_release(work_.directory);
    if (auto restored = restore(); !restored)
        work_.output.say(
            fmt::format("the version before could not be brought back: {}", restored.error().message));
    return rejected ? ended(Outcome::rejected, exit_status::rejected, error)
                    : ended(Outcome::failed, exit_status::failed, error);
}

JobResult Changeover::ended(Outcome outcome, int exit_code, std::optional<Error> error) const {
    JobResult result = observe(work_);
    result.exit_status = exit_code;
    result.outcome = outcome;
    result.changed = changed_;
    result.error = std::move(error);
    return result;
}

} // namespace pgod::compose
