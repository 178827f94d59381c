#include "compose/operations.hpp"

#include "base/text.hpp"
#include "compose/binds.hpp"
#include "compose/crash_point.hpp"
#include "compose/kept_values.hpp"
#include "compose/leftover.hpp"
#include "compose/memory_files.hpp"
#include "compose/need.hpp"
#include "compose/nested_mounts.hpp"
#include "compose/observe.hpp"
#include "compose/release.hpp"
#include "compose/rootless_network.hpp"
#include "compose/stopping.hpp"
#include "compose/switch.hpp"
#include "core/exit_status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <set>
#include <span>

namespace pgod::compose {

namespace {

using namespace std::chrono_literals;

constexpr auto state_deadline = 180s; // beside the time that containers need to stop

JobResult failed(const Work& work, const Error& error, int exit_code = exit_status::failed) {
    JobResult result = observe(work);
    result.exit_status = error.code == Code::timeout ? exit_status::busy : exit_code;
    result.error = error;
    work.output.say(error.message);
    return result;
}

JobResult done(const Work& work, bool changed) {
    JobResult result = observe(work);
    result.exit_status = exit_status::done;
    result.changed = changed;
    return result;
}

struct Words {
    const char* verb; // podman's
    const char* past;
};

Words words_of(Verb verb) {
    switch (verb) {
    case Verb::start:
        return {"start", "started"};
    case Verb::stop:
        return {"stop", "stopped"};
    case Verb::restart:
        return {"restart", "restarted"};
    }
    return {"", ""};
}

// Restarting a hundred containers one after the other must not outlast the job.
std::chrono::milliseconds time_for(Verb verb, const StopTimes& times, const Job& job) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(job.deadline - std::chrono::steady_clock::now());
    const auto stops = verb == Verb::restart ? times.one_after_another : times.together;
    return std::min<std::chrono::milliseconds>(state_deadline + stops,
                                               std::max<std::chrono::milliseconds>(left, state_deadline));
}

// In the order of the plan, which is the order in which they may depend on each other.
void sort_by_plan(std::vector<Container>& containers, const std::optional<Record>& record) {
    const auto place = [&record](const Container& container) {
        std::size_t i = 0;
        if (record)
            while (i < record->plan.containers.size() && record->plan.containers[i].name != container.name)
                ++i;
        return i;
    };
    std::stable_sort(
        containers.begin(), containers.end(),
        [&place](const Container& one, const Container& other) { return place(one) < place(other); });
}

Status remove_networks(const Work& work) {
    Podman::Call call;
    call.arguments = {"network", "rm"};
    for (const auto& [name, network] : TRY(work.podman.networks()))
        if (network.owner == work.job.service)
            call.arguments.push_back(name);
    if (call.arguments.size() > 2)
        TRY(work.podman.must(call, "remove networks"));
    return ok();
}

// podman mounts bind sources again when it starts a container: a link may have come meanwhile, and a reboot
// empties the runtime directory. Returns the containers whose memory files were written.
Result<std::vector<PlannedContainer>> prepare_mounts(const Work& work, const Record& record,
                                                     std::span<const Container> starting) {
    const Fd tree = TRY(work.directory.open_directory("tree"));
    TRY(check_binds(record.plan, bind_roots(work), tree.get(),
                    nested_files(work, record.plan, std::string(running_release) + "/files")));
    std::vector<PlannedContainer> written;
    for (const auto& planned : record.plan.containers)
        if (find_container(starting, planned.name) != nullptr)
            if (TRY(restore_memory_files(work, planned, image_of(record, planned))))
                written.push_back(planned);
    if (!starting.empty())
        TRY(keep_values(work, record.plan));
    return written;
}

bool shares_network_of_any(const Container& container, const Plan& plan, std::span<const Container> others) {
    const auto planned =
        std::find_if(plan.containers.begin(), plan.containers.end(),
                     [&container](const PlannedContainer& one) { return one.name == container.name; });
    return planned != plan.containers.end() &&
           std::any_of(others.begin(), others.end(), [&planned](const Container& other) {
               return shares_network_of(*planned, other.name);
           });
}

// podman makes another network when it starts a container again, so those that share it restart as well.
void add_sharers(const Plan& plan, std::span<const Container> owned, std::vector<Container>& restarting) {
    for (std::size_t known = 0; known != restarting.size();) {
        known = restarting.size();
        for (const auto& container : owned)
            if (find_container(restarting, container.name) == nullptr &&
                shares_network_of_any(container, plan, restarting))
                restarting.push_back(container);
    }
}

// podman starts those of one call side by side; a container comes after the one whose network it shares.
std::vector<std::vector<Container>> steps_of(std::vector<Container> waiting, const Plan& plan) {
    std::vector<std::vector<Container>> steps;
    while (!waiting.empty()) {
        std::vector<Container> step;
        std::copy_if(waiting.begin(), waiting.end(), std::back_inserter(step),
                     [&](const Container& one) { return !shares_network_of_any(one, plan, waiting); });
        if (step.empty())
            step = waiting; // a circle, which the policy refuses
        std::erase_if(waiting,
                      [&step](const Container& one) { return find_container(step, one.name) != nullptr; });
        steps.push_back(std::move(step));
    }
    return steps;
}

bool runs(const Container& container) {
    return container.state == "running" || container.state == "paused";
}

// What podman does to which containers. `start` leaves one that runs as it is, but for one whose network is
// that of a container which starts: it has lost it.
struct Selection {
    std::vector<Container> named;   // in the order of the plan; of `stop` the other way round
    std::vector<Container> changed; // …that start, stop or restart
    std::set<std::string> running;  // of `start`: names of those among them that have to restart
};

Result<Selection> select(const Work& work, Verb verb, const std::optional<Record>& record) {
    Selection selection{TRY(select_containers(work, work.job.args)), {}, {}};
    const auto owned = owned_by(TRY(work.podman.containers()), work.job.service);
    auto& changed = selection.changed = selection.named;
    if (verb == Verb::start)
        std::erase_if(changed, runs);
    if (verb != Verb::stop && record)
        add_sharers(record->plan, owned, changed);
    if (verb == Verb::start)
        std::erase_if(changed, [&selection](const Container& one) {
            return one.state == "paused" || // podman cannot restart it
                   (!runs(one) && find_container(selection.named, one.name) == nullptr);
        });
    if (verb == Verb::start)
        for (const auto& container : changed)
            if (runs(container))
                selection.running.insert(container.name);
    for (const auto& container : changed)
        if (find_container(selection.named, container.name) == nullptr)
            selection.named.push_back(container);
    for (auto* const containers : {&selection.named, &selection.changed}) {
        sort_by_plan(*containers, record);
        if (verb == Verb::stop)
            std::reverse(containers->begin(), containers->end());
    }
    return selection;
}

Status change(const Work& work, Verb verb, std::span<const Container> containers) {
    if (containers.empty())
        return ok();
    const StopTimes times = verb == Verb::start ? StopTimes() : stop_times(work.podman, containers);
    Podman::Call call;
    call.arguments = {words_of(verb).verb};
    cut_short(call.arguments, times);
    for (const auto& container : containers)
        call.arguments.push_back(container.id);
    call.deadline = time_for(verb, times, work.job);
    TRY(work.podman.must(call, words_of(verb).verb));
    return ok();
}

Result<bool> change(const Work& work, Verb verb) {
    const auto record = read_record(work.directory, running_release);
    const Selection selection = TRY(select(work, verb, record));
    if (selection.named.empty())
        return Error{Code::gone, "there are no containers; `up` makes them"};
    std::vector<PlannedContainer> written;
    if (verb != Verb::stop) {
        if (record)
            written = TRY(prepare_mounts(work, *record, selection.changed));
        TRY(mend_rootless_network(work.podman));
    }
    const auto steps = verb == Verb::stop || !record ? std::vector<std::vector<Container>>{selection.changed}
                                                     : steps_of(selection.changed, record->plan);
    crash_point("state-to-change");
    for (auto step : steps) {
        const auto rest = std::partition(step.begin(), step.end(), [&selection](const Container& one) {
            return !selection.running.contains(one.name);
        });
        TRY(change(work, verb, {step.begin(), rest}));
        TRY(change(work, Verb::restart, {rest, step.end()}));
        for (const auto& planned : written)
            if (find_container(step, planned.name) != nullptr)
                TRY(note_memory_files(work, planned));
    }
    crash_point("state-changed");
    for (const auto& container : selection.named)
        work.output.print(
            fmt::format("{} {}\n", escaped(container.service),
                        words_of(selection.running.contains(container.name) ? Verb::restart : verb).past));
    return true;
}

} // namespace

Result<std::vector<Container>> select_containers(const Work& work, const std::vector<std::string>& services) {
    auto owned = owned_by(TRY(work.podman.containers()), work.job.service);
    std::set<std::string> known;
    for (const auto& container : owned)
        known.insert(container.service);
    std::string list;
    for (const auto& name : known)
        list += (list.empty() ? "" : ", ") + escaped(name);
    for (const auto& wanted : services)
        if (!known.contains(wanted))
            return Error{Code::invalid,
                         fmt::format("{} is no compose service that has a container here; there {}",
                                     escaped(wanted), list.empty() ? "are none" : "are: " + list)};
    if (!services.empty())
        std::erase_if(owned, [&services](const Container& container) {
            return std::find(services.begin(), services.end(), container.service) == services.end();
        });
    return owned;
}

JobResult take_down(const Work& work) {
    const auto lock = lock_service(work);
    if (!lock)
        return failed(work, lock.error());
    const auto seen = work.podman.containers();
    if (!seen)
        return failed(work, seen.error());
    const auto owned = owned_by(*seen, work.job.service);
    crash_point("down-locked");
    if (auto removed = remove_containers(work, owned); !removed)
        return failed(work, removed.error());
    crash_point("down-containers-removed");
    if (auto removed = remove_networks(work); !removed)
        return failed(work, removed.error());
    crash_point("down-networks-removed");
    remove_memory_files(work);
    remove_unused_copies(work);
    for (const auto& container : owned)
        work.output.print(fmt::format("{} removed\n", escaped(container.service)));
    return done(work, !owned.empty());
}

JobResult change_state(const Work& work, Verb verb) {
    const auto lock = lock_service(work);
    if (!lock)
        return failed(work, lock.error());
    const auto changed = change(work, verb);
    if (!changed)
        return failed(work, changed.error(),
                      changed.error().code == Code::invalid ? exit_status::usage : exit_status::failed);
    return done(work, *changed);
}

JobResult list_containers(const Work& work) {
    auto selected = select_containers(work, work.job.args);
    if (!selected)
        return failed(work, selected.error(),
                      selected.error().code == Code::invalid ? exit_status::usage : exit_status::failed);
    const auto record = read_record(work.directory, running_release);
    sort_by_plan(*selected, record);
    // podman shows any tag of an image that was started by its id; the compose file's name says more.
    for (auto& container : *selected)
        if (record)
            for (const auto& planned : record->plan.containers)
                if (planned.name == container.name)
                    container.image = planned.image;
    work.output.print(work.job.json ? container_json(*selected)
                                    : container_table(*selected, std::time(nullptr)));
    return done(work, false);
}

} // namespace pgod::compose
