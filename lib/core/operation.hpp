// The operations: what may follow `//`. One row per operation says who may run it, what it takes and how it
// ends; everything that lists operations (usage texts, authorisation, dispatch) reads this table.
// To add an operation: a row here, and a case where it is carried out (daemon/operations.cpp for what the
// supervisor answers itself, daemon/work_role.cpp for what the service's user does).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace pgod {

enum class Op {
    ping,
    list,
    status,
    ps,
    logs,
    history,
    log,
    why,
    up,
    down,
    start,
    stop,
    restart,
    pull,
    build,
    sync,
    plan,
    check,
    retry,
    suspend,
    resume,
    rollback,
    exec,
    whoami,
    audit,
};

// What a worker is asked to do to a service, one after the other; a mirror of ipc::WorkKind, which core does
// not know.
enum class Work { deploy, pull, build, down, start, stop, restart, check, rollback, heal, plan };

enum class OpGroup { read, deploy, exec, admin };

// A set of groups: what a grant or a service's ceiling allows.
struct OperationGroups {
    bool read = false;
    bool deploy = false;
    bool exec = false;
    bool admin = false;
    bool allows(OpGroup group) const noexcept;
    bool operator==(const OperationGroups&) const = default;
};

struct Operation {
    Op op;
    std::string_view name;
    OpGroup group;
    std::size_t max_args;  // arguments after the operation; more is a usage error
    bool ends_with_client; // a client that leaves ends it; otherwise the server finishes what it began
    std::optional<Work>
        work; // done to the service, in its turn; none: answered beside whatever the service does
    std::string_view summary; // one line for usage texts
};

std::span<const Operation> all_operations() noexcept;
const Operation* find_operation(std::string_view name) noexcept; // null: no such operation
const Operation& operation_of(Op op) noexcept;
std::string_view name_of(Work work) noexcept;

} // namespace pgod
