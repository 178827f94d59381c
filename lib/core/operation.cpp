#include "core/operation.hpp"

#include <algorithm>
#include <array>

namespace pgod {

namespace {

constexpr auto operations = std::to_array<Operation>({
    {Op::ping, "ping", OpGroup::read, 0, true, std::nullopt, "answer \"pong! - HOSTNAME\""},
    {Op::list, "list", OpGroup::read, 0, true, std::nullopt, "list the services that this key may see"},
    {Op::status, "status", OpGroup::read, 0, true, std::nullopt,
     "desired state, health, commits and the last outcome"},
    {Op::ps, "ps", OpGroup::read, 0, true, std::nullopt, "list the service's containers"},
    {Op::logs, "logs", OpGroup::read, 64, true, std::nullopt,
     "print the containers' logs: logs [-f] [-t] [--tail N] [--since T] [SERVICE...]"},
    {Op::history, "history", OpGroup::read, 1, true, std::nullopt,
     "list the newest deployments: history [COUNT]"},
    {Op::log, "log", OpGroup::read, 2, true, std::nullopt,
     "print all that a deployment said, by default the newest: log [-f] [NUMBER]"},
    {Op::why, "why", OpGroup::read, 0, true, std::nullopt,
     "say what was decided last, also when that was to do nothing"},
    {Op::up, "up", OpGroup::deploy, 8, false, Work::deploy,
     "sync, deploy the tip where it differs or is not healthy, wait for the outcome: "
     "up [--commit SHA] [--no-wait] [--timeout TIME] [--resume]"},
    {Op::down, "down", OpGroup::deploy, 0, false, Work::down,
     "stop and remove the containers; they stay down until up, retry or rollback"},
    {Op::start, "start", OpGroup::deploy, 64, false, Work::start,
     "start stopped containers: start [SERVICE...]"},
    {Op::stop, "stop", OpGroup::deploy, 64, false, Work::stop,
     "stop containers; nothing is deployed or healed until start, up, retry or rollback: stop [SERVICE...]"},
    {Op::restart, "restart", OpGroup::deploy, 64, false, Work::restart,
     "restart containers: restart [SERVICE...]"},
    {Op::pull, "pull", OpGroup::deploy, 0, false, Work::pull, "sync, and pull the tip's images"},
    {Op::build, "build", OpGroup::deploy, 0, false, Work::build, "sync, and build the tip's images"},
    {Op::sync, "sync", OpGroup::deploy, 0, false, Work::deploy, "fetch now and do what a poll does"},
    {Op::plan, "plan", OpGroup::read, 1, false, Work::plan,
     "sync, and say what the tip would change against what runs: plan [COMMIT]"},
    {Op::check, "check", OpGroup::read, 1, false, Work::check,
     "sync, and say whether the tip would be accepted: check [COMMIT]"},
    {Op::retry, "retry", OpGroup::deploy, 0, false, Work::deploy,
     "sync, and deploy the tip although it is quarantined"},
    {Op::suspend, "suspend", OpGroup::deploy, 64, false, std::nullopt,
     "leave everything as it is until resume: suspend [--until TIME] [REASON...]"},
    {Op::resume, "resume", OpGroup::deploy, 0, false, std::nullopt,
     "follow the branch again after suspend or rollback"},
    {Op::rollback, "rollback", OpGroup::deploy, 1, false, Work::rollback,
     "go back to an earlier good version and hold the tip back: rollback [ID|COMMIT]"},
    {Op::exec, "exec", OpGroup::exec, 127, true, std::nullopt,
     "run a command in a container: exec [-t] SERVICE COMMAND [ARG...]"},
    {Op::whoami, "whoami", OpGroup::read, 0, true, std::nullopt, "show this key and what it may do"},
    {Op::audit, "audit", OpGroup::admin, 3, true, std::nullopt,
     "print who ran what, was refused or failed, for admins: //audit [--refused] [-n COUNT]"},
});

constexpr std::string_view work_names[]{"deploy",  "pull",  "build",    "down", "start", "stop",
                                        "restart", "check", "rollback", "heal", "plan"};

} // namespace

bool OperationGroups::allows(OpGroup group) const noexcept {
    switch (group) {
    case OpGroup::read:
        return read;
    case OpGroup::deploy:
        return deploy;
    case OpGroup::exec:
        return exec;
    case OpGroup::admin:
        return admin;
    }
    return false;
}

std::span<const Operation> all_operations() noexcept {
    return operations;
}

const Operation* find_operation(std::string_view name) noexcept {
    const auto* found = std::find_if(operations.begin(), operations.end(),
                                     [name](const Operation& operation) { return operation.name == name; });
    return found == operations.end() ? nullptr : found;
}

const Operation& operation_of(Op op) noexcept {
    return *std::find_if(operations.begin(), operations.end(),
                         [op](const Operation& operation) { return operation.op == op; });
}

std::string_view name_of(Work work) noexcept {
    return work_names[static_cast<std::size_t>(work)];
}

} // namespace pgod
