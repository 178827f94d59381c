// Changeover: from the version that runs to the next one, and back when that fails. Deployments and rollbacks
// by hand differ in where the next version comes from; what is done to containers, networks and the work
// tree is this, once. The point of no return is in switch_to(): what comes before it touches nothing that
// runs. The service's lock is held by the caller.
#pragma once

#include "compose/images.hpp"
#include "compose/job.hpp"
#include "compose/release.hpp"
#include "compose/switch.hpp"
#include "compose/work_tree.hpp"

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace pgod::compose {

class Changeover {
  public:
    Changeover(const Work& work, std::optional<Record> running)
        : work_(work)
        , running_(std::move(running)) {}

    // Takes in what is next: a record without containers, and where its files are. Everything about names and
    // bind sources that can be found out while the old version runs.
    Status stage(Record next, const std::string& source, FilesOf kind);
    void use(FetchedImages images);
    // Containers, by name, that the next version has as they are: they go on running.
    void leave_alone(std::set<std::string> untouched) { untouched_ = std::move(untouched); }

    const std::optional<Record>& running() const noexcept { return running_; }
    const std::vector<std::string>& changed_files() const noexcept { return files_.changed; }
    const std::vector<Container>& seen() const noexcept { return seen_; }

    // Nothing but the commit's id and files differs: the work tree follows, no container is touched.
    JobResult follow();

    Status prepare();        // the last steps before the point of no return
    JobResult switch_over(); // and back, when what is next does not prove itself
    // What a changeover that was cut off has begun goes; containers that are as they should be stay.
    Status undo();
    JobResult not_started(const Error& error, bool rejected);
    JobResult ended(Outcome outcome, int exit_code, std::optional<Error> error = std::nullopt) const;

  private:
    Status follow_files();
    Status apply(WorkTreeUpdate& update);
    Status switch_to();
    JobResult roll_back(const Error& cause);
    void look_at_names(Record& record) const;
    void free_networks(const Surroundings& around, const Plan& plan);
    Status remove_all_but(std::span<const RecordedContainer> stay);
    Status restore();
    Status bring_back_but(std::set<std::string> untouched);
    Status bring_back();
    Status remove_networks();
    void clean_up_after_a_crash();
    void remove_images() const;

    const Work& work_;
    const std::string stage_ = work_.directory.path_of("stage");
    std::optional<Record> running_;
    Record next_;
    StageFiles files_;
    FetchedImages images_;
    std::set<std::string> untouched_;
    std::vector<Container> seen_;
    Fd tree_;
    Surroundings around_;
    std::optional<WorkTreeUpdate> update_;
    bool staged_ = false;
    bool changed_ = false;
};

} // namespace pgod::compose
