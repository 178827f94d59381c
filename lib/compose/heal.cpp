#include "compose/heal.hpp"

#include "compose/changeover.hpp"
#include "compose/ending.hpp"
#include "compose/kept_values.hpp"
#include "compose/leftover.hpp"
#include "compose/memory_files.hpp"
#include "compose/need.hpp"
#include "compose/observe.hpp"
#include "compose/obstacles.hpp"
#include "compose/planning.hpp"
#include "compose/release.hpp"
#include "compose/rootless_network.hpp"
#include "compose/switch.hpp"
#include "compose/verify.hpp"
#include "core/exit_status.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgod::compose {

namespace {

using namespace std::chrono_literals;

constexpr auto start_deadline = 60s;

bool is_resting(const std::string& state) {
    return state == "exited" || state == "stopped" || state == "created" || state == "configured" ||
           state == "initialized";
}

// nullopt: as it should be, or on its way somewhere (stopping, removing).
std::optional<Remedy> remedy_for(const ExpectedContainer& expected, const Container* container,
                                 const std::string& deployment) {
    if (container == nullptr)
        return Remedy::make;
    if (container->id != expected.id)
        return container->deployment == deployment && container->state == "running" ? Remedy::note
                                                                                    : Remedy::make;
    if (container->state == "paused")
        return Remedy::unpause;
    return is_resting(container->state) ? std::optional(Remedy::start) : std::nullopt;
}

class Healing {
  public:
    explicit Healing(const Work& work)
        : work_(work) {}

    Result<bool> run() {
        auto record = read_record(work_.directory, running_release);
        if (!record)
            return false;
        record_ = std::move(*record);
        if (was_cut_off(work_.directory)) {
            work_.output.say("a deployment was cut off; going back to what ran before it");
            TRY(Changeover(work_, std::move(record_)).undo());
            return true;
        }
        seen_ = TRY(work_.podman.containers());
        auto owned = owned_by(seen_, work_.job.service);
        bool noted = note_endings(work_.podman, record_, owned);
        const auto faults = faults_of(record_, owned);
        if (!faults.empty())
            TRY(prepare());
        std::vector<Fault> to_make;
        for (const auto& fault : faults) {
            work_.output.say(fmt::format("{}; {}", fault.problem, doing(fault.remedy)));
            noted |= fault.remedy == Remedy::note;
            if (fault.remedy == Remedy::note)
                note(fault.planned, fault.id);
            else if (fault.remedy == Remedy::make || !start(fault))
                to_make.push_back(fault);
        }
        const auto made = make(to_make);
        if (noted || !to_make.empty())
            TRY(write_record(work_.directory, running_release, record_));
        TRY(made);
        if (!faults.empty())
            TRY(verify_all());
        return !faults.empty();
    }

  private:
    static const char* doing(Remedy remedy) {
        switch (remedy) {
        case Remedy::note:
            return "it is from this deployment and stays";
        case Remedy::start:
            return "starting it";
        case Remedy::unpause:
            return "letting it go on";
        case Remedy::make:
            return "making it again";
        }
        return "";
    }

    // What was granted when it was deployed may not be any more, and a link may have come into the tree.
    Status prepare() {
        TRY(judge_again(work_, record_.plan, running_release));
        const Fd tree = TRY(work_.directory.open_directory("tree"));
        FoundObjects objects(work_.podman);
        TRY(check_obstacles(work_, record_.plan,
                            {seen_, &record_, tree.get(), std::string(running_release) + "/files"}, objects));
        TRY(mend_rootless_network(work_.podman));
        TRY(keep_values(work_, record_.plan)); // before make() removes a container
        const auto around = TRY(Surroundings::look(work_, record_.plan));
        return around.make_missing(work_, record_.plan);
    }

    void note(std::size_t planned, const std::string& id) {
        const std::string& name = record_.plan.containers[planned].name;
        const auto known = std::find_if(record_.containers.begin(), record_.containers.end(),
                                        [&name](const auto& one) { return one.name == name; });
        const RecordedContainer made{name, id, false, record_.deployment};
        if (known == record_.containers.end())
            record_.containers.push_back(made);
        else
            *known = made;
    }

    // One that cannot be started again (its network or a mount went with it) is made again.
    bool start(const Fault& fault) {
        Podman::Call call;
        call.arguments = {fault.remedy == Remedy::unpause ? "unpause" : "start", fault.id};
        call.deadline = start_deadline;
        const auto& planned = record_.plan.containers[fault.planned];
        const Status started = start(planned, fault.remedy, call);
        if (!started)
            work_.output.say(started.error().message);
        return static_cast<bool>(started);
    }

    Status start(const PlannedContainer& planned, Remedy remedy, const Podman::Call& call) const {
        const bool written = remedy == Remedy::start && // a paused one has its files
                             TRY(restore_memory_files(work_, planned, image_of(record_, planned)));
        TRY(work_.podman.must(call, "start"));
        return written ? note_memory_files(work_, planned) : ok();
    }

    Status make(const std::vector<Fault>& faults) {
        Record part = record_;
        part.plan.containers.clear();
        std::vector<Container> in_the_way;
        for (const auto& fault : faults) {
            part.plan.containers.push_back(record_.plan.containers[fault.planned]);
            if (const auto* there = find_container(seen_, part.plan.containers.back().name))
                in_the_way.push_back(*there);
        }
        TRY(remove_containers(work_, in_the_way));
        std::vector<RecordedContainer> made;
        const auto ran = run_containers(work_, part, running_release, made);
        for (const auto& container : made)
            for (const auto& fault : faults)
                if (record_.plan.containers[fault.planned].name == container.name)
                    note(fault.planned, container.id);
        return ran;
    }

    Status verify_all() {
        auto verified = verify(work_, record_, limits_of(work_.job));
        if (!verified) {
            show_failures(work_, record_);
            return verified;
        }
        return write_record(work_.directory, running_release, record_); // with what has ended
    }

    const Work& work_;
    Record record_;
    std::vector<Container> seen_;
};

} // namespace

namespace {

bool is_among(std::span<const Fault> faults, std::size_t planned) {
    return std::any_of(faults.begin(), faults.end(),
                       [planned](const Fault& fault) { return fault.planned == planned; });
}

// The other container, whose network this one shares, started later or is about to be made again: podman
// then makes another network.
bool loses_network(const Plan& plan, std::size_t planned, std::size_t other, std::span<const Fault> faults,
                   std::span<const Container> owned) {
    if (!shares_network_of(plan.containers[planned], plan.containers[other].name))
        return false;
    const auto* container = find_container(owned, plan.containers[planned].name);
    const auto* holder = find_container(owned, plan.containers[other].name);
    return is_among(faults, other) ||
           (container != nullptr && holder != nullptr && container->state == "running" &&
            holder->state == "running" && holder->started > container->started);
}

void add_sharers(const Plan& plan, std::span<const Container> owned, std::vector<Fault>& faults) {
    for (std::size_t known = faults.size() + 1; known != faults.size();) {
        known = faults.size();
        for (std::size_t i = 0; i < plan.containers.size(); ++i)
            for (std::size_t other = 0; other < plan.containers.size() && !is_among(faults, i); ++other)
                if (loses_network(plan, i, other, faults, owned)) {
                    const auto* container = find_container(owned, plan.containers[i].name);
                    faults.push_back(
                        {i, Remedy::make, container == nullptr ? std::string() : container->id,
                         fmt::format("{} lost the network that it shares with {}", plan.containers[i].service,
                                     plan.containers[other].service)});
                }
    }
}

} // namespace

std::vector<Fault> faults_of(const Record& record, std::span<const Container> owned) {
    std::vector<Fault> faults;
    const auto expected = expected_containers(record);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const Judgement judgement = judge_container(expected[i], owned);
        if (judgement.verdict != Verdict::bad && judgement.verdict != Verdict::missing)
            continue;
        const Container* container = find_container(owned, expected[i].name);
        if (const auto remedy = remedy_for(expected[i], container, std::to_string(record.deployment)))
            faults.push_back(
                {i, *remedy, container == nullptr ? std::string() : container->id, judgement.problem});
    }
    add_sharers(record.plan, owned, faults);
    return faults;
}

JobResult heal(const Work& work) {
    const auto lock = lock_service(work);
    const auto healed = lock ? Healing(work).run() : Result<bool>(lock.error());
    JobResult result = observe(work);
    if (!healed) {
        work.output.say(healed.error().message);
        result.error = healed.error();
        result.exit_status = exit_status::failed;
        return result;
    }
    result.changed = *healed;
    return result;
}

} // namespace pgod::compose
