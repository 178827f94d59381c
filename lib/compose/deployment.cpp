#include "compose/deployment.hpp"

#include "compose/crash_point.hpp"
#include "compose/deployment_log.hpp"
#include "compose/images.hpp"
#include "compose/need.hpp"
#include "compose/observe.hpp"
#include "compose/planning.hpp"
#include "compose/ports.hpp"
#include "compose/release.hpp"
#include "compose/switch.hpp"
#include "compose/verify.hpp"
#include "core/exit_status.hpp"
#include "core/policy.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace pgod::compose {

namespace {

class Deployment {
  public:
    explicit Deployment(const Work& work)
        : work_(work) {}

    JobResult run() {
        const auto lock = work_.directory.lock(work_.job.deadline);
        if (!lock)
            return ended(Outcome::cancelled,
                         lock.error().code == Code::timeout ? exit_status::busy : exit_status::failed,
                         lock.error());
        crash_point("locked");
        running_ = read_record(work_.directory, running_release);
        if (auto checked = check(); !checked)
            return not_started(checked.error(), is_the_commits_fault(checked.error()));
        crash_point("planned");
        if (auto fetched = fetch(); !fetched)
            return not_started(fetched.error(), false);
        crash_point("fetched");
        const NewVersion next{stage_, plan_.plan, images_.ids, files_.changed};
        auto reason = reason_to_deploy(running_ ? &*running_ : nullptr, next, seen_);
        if (!reason && work_.job.force)
            reason = "it was asked for";
        if (!reason)
            return follow();
        work_.output.say(fmt::format("deploying {}: {}", brief_commit(), *reason));
        if (auto prepared = prepare(); !prepared)
            return not_started(prepared.error(), is_the_commits_fault(prepared.error()));
        crash_point("prepared");
        return switch_over();
    }

  private:
    // Everything that can be found out while the old version runs and nothing is touched.
    Status check() {
        plan_ = TRY(plan_commit(work_));
        files_ = TRY(prepare_release(work_.directory));
        staged_ = true;
        seen_ = TRY(work_.podman.containers());
        TRY(check_names(work_, plan_.plan, seen_));
        tree_ = TRY(make_public_directories(work_.directory.fd(), "tree"));
        return check_binds(plan_.plan, bind_roots(work_), tree_.get());
    }

    Status fetch() {
        const BuildHistory history{running_ ? &*running_ : nullptr, &files_.changed, stage_};
        images_ = TRY(fetch_images(work_, plan_.plan, history));
        return ok();
    }

    Record next_record() const {
        return Record{work_.job.commit, work_.job.deployment, plan_.compose_file,
                      plan_.plan,       images_.ids,          {}};
    }

    // Nothing but the commit's id and files changed: the work tree follows, no container is touched.
    JobResult follow() {
        const Record before = *running_;
        Record next = next_record();
        next.deployment = before.deployment;
        next.containers = before.containers;
        if (files_.changed.empty() && before.commit == next.commit) {
            (void)discard_release(work_.directory);
            work_.output.say(fmt::format("{} runs already", brief_commit()));
            return ended(Outcome::ok, exit_status::done);
        }
        if (auto followed = follow_commit(next); !followed)
            return ended(Outcome::failed, exit_status::failed, followed.error());
        running_ = next;
        work_.output.say(fmt::format("the work tree is at {}; no container had to change", brief_commit()));
        return ended(Outcome::ok, exit_status::done);
    }

    std::string brief_commit() const { return work_.job.commit.substr(0, 12); }

    Status follow_commit(const Record& next) {
        WorkTreeUpdate update(tree_.get(), files_.directory.get(), files_.tree,
                              TRY(known_files(work_.directory)));
        update.keep_directories(bind_sources(plan_.plan, stage_));
        update.leave_alone(bind_sources(plan_.plan, stage_));
        TRY(update.prepare());
        TRY(write_record(work_.directory, next_release, next));
        crash_point("follow-recorded");
        TRY(apply(update));
        crash_point("followed");
        return publish_release(work_.directory, next);
    }

    Status apply(WorkTreeUpdate& update) {
        for (const auto& sentence : TRY(update.apply()))
            work_.output.say(sentence);
        return forget_unfinished(work_.directory);
    }

    // The last steps before the point of no return.
    Status prepare() {
        if (work_.job.deadline - std::chrono::steady_clock::now() < time_to_switch)
            return Error{Code::transient, fmt::format("less than {} of this deployment's time are left, too "
                                                      "little to change what runs; it will be tried again",
                                                      time_to_switch)};
        TRY(check_ports(plan_.plan, owned_by(seen_, work_.job.service)));
        TRY(keep_images(work_, images_));
        crash_point("images-kept");
        around_ = TRY(Surroundings::look(work_, plan_.plan));
        TRY(around_.make_missing(work_, plan_.plan));
        crash_point("surroundings-made");
        update_.emplace(tree_.get(), files_.directory.get(), files_.tree, TRY(known_files(work_.directory)));
        update_->keep_directories(bind_sources(plan_.plan, stage_));
        TRY(update_->prepare());
        crash_point("files-beside");
        return write_record(work_.directory, next_release, next_record());
    }

    JobResult switch_over() {
        Record next = next_record();
        changed_ = true;
        if (auto switched = switch_to(next); !switched)
            return roll_back(next, switched.error());
        if (auto published = publish_release(work_.directory, next); !published)
            return ended(Outcome::failed, exit_status::internal, published.error());
        running_ = next;
        crash_point("published");
        around_.remove_obsolete(work_);
        crash_point("networks-removed");
        remove_old_images(work_, images_.ids);
        crash_point("cleaned-up");
        work_.output.say(fmt::format("deployed {}", brief_commit()));
        return ended(Outcome::ok, exit_status::done);
    }

    Status switch_to(Record& next) {
        work_.progress("switch");
        TRY(remove_containers(work_, owned_by(seen_, work_.job.service)));
        crash_point("containers-removed");
        TRY(around_.replace_networks(work_, plan_.plan));
        crash_point("networks-replaced");
        TRY(apply(*update_));
        crash_point("files-in-place");
        TRY(run_containers(work_, next, next_release, next.containers));
        crash_point("containers-run");
        work_.progress("verify");
        TRY(verify(work_, next));
        crash_point("verified");
        return ok();
    }

    JobResult roll_back(const Record& failed, const Error& cause) {
        work_.output.say(cause.message);
        show_failures(work_, failed);
        update_.reset();
        crash_point("failure-shown");
        work_.progress("roll back");
        const auto restored = running_ ? bring_back() : take_down();
        if (!restored)
            return ended(
                Outcome::failed, exit_status::unhealthy,
                Error{cause.code, fmt::format("{}; and the version before could not be brought back: {}",
                                              cause.message, restored.error().message)});
        if (!running_)
            return ended(Outcome::failed, exit_status::unhealthy, cause);
        work_.output.say(fmt::format("rolled back to {}", running_->commit.substr(0, 12)));
        return ended(Outcome::rolled_back, exit_status::rolled_back, cause);
    }

    Status take_down() {
        const auto seen = TRY(work_.podman.containers());
        return remove_containers(work_, owned_by(seen, work_.job.service));
    }

    // A commit that cannot be deployed is no reason to leave the last good one down, after a reboot for one.
    Status restore() {
        if (!running_)
            return ok();
        seen_ = TRY(work_.podman.containers());
        const auto health = health_of(expected_containers(*running_), owned_by(seen_, work_.job.service));
        if (health != Health::missing && health != Health::degraded)
            return ok();
        const PolicyGrants grants{stage_, work_.job.ports, work_.job.volumes, work_.job.networks,
                                  work_.job.allow};
        if (const auto violations = judge(running_->plan, grants); !violations.empty())
            return Error{Code::permanent, describe(violations.front())}; // the grants are others by now
        work_.output.say(fmt::format("bringing back {}", running_->commit.substr(0, 12)));
        work_.progress("roll back");
        if (!tree_)
            tree_ = TRY(make_public_directories(work_.directory.fd(), "tree"));
        TRY(check_names(work_, running_->plan, seen_));
        TRY(check_binds(running_->plan, bind_roots(work_), tree_.get()));
        TRY(set_leftover_aside(work_.directory));
        files_ = {};
        changed_ = true;
        return bring_back();
    }

    // By the old record alone: its plan, its image ids, its copy of the files.
    Status bring_back() {
        TRY(take_down());
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
        const auto around = TRY(Surroundings::look(work_, running_->plan));
        TRY(around.make_missing(work_, running_->plan));
        TRY(around.replace_networks(work_, running_->plan));
        running_->containers.clear();
        TRY(run_containers(work_, *running_, running_release, running_->containers));
        crash_point("rollback-containers-run");
        TRY(write_record(work_.directory, running_release, *running_));
        crash_point("rollback-recorded");
        TRY(discard_release(work_.directory));
        crash_point("rollback-discarded");
        TRY(verify(work_, *running_));
        crash_point("rollback-verified");
        return write_record(work_.directory, running_release, *running_); // now with what had ended
    }

    static bool is_the_commits_fault(const Error& error) {
        return error.code == Code::permanent || error.code == Code::invalid;
    }

    // It ended with the old version untouched, which may not be what it should be for another reason.
    JobResult not_started(const Error& error, bool rejected) {
        update_.reset();
        if (staged_) // an `incoming` of before was set aside, this one is ours
            (void)discard_release(work_.directory);
        if (auto restored = restore(); !restored)
            work_.output.say(
                fmt::format("the version before could not be brought back: {}", restored.error().message));
        return rejected ? ended(Outcome::rejected, exit_status::rejected, error)
                        : ended(Outcome::failed, exit_status::failed, error);
    }

    JobResult ended(Outcome outcome, int exit_code, std::optional<Error> error = std::nullopt) {
        JobResult result = observe(work_);
        result.exit_status = exit_code;
        result.outcome = outcome;
        result.changed = changed_;
        result.error = std::move(error);
        return result;
    }

    const Work& work_;
    const std::string stage_ = work_.directory.path_of("stage");
    std::optional<Record> running_;
    JudgedPlan plan_;
    StageFiles files_;
    FetchedImages images_;
    std::vector<Container> seen_;
    Fd tree_;
    Surroundings around_;
    std::optional<WorkTreeUpdate> update_;
    bool staged_ = false;
    bool changed_ = false;
};

} // namespace

JobResult deploy(const Work& work) {
    start_deployment_log(work);
    JobResult result = Deployment(work).run();
    if (result.error && result.outcome != Outcome::rolled_back)
        work.output.say(result.error->message);
    return result;
}

} // namespace pgod::compose
