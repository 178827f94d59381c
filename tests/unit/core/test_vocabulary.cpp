#include "core/operation.hpp"
#include "core/vocabulary.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace pgod;

TEST_CASE("every word of the vocabulary is spelled once and read back") {
    for (const auto desired : {Desired::running, Desired::stopped, Desired::suspended})
        CHECK(desired_named(name_of(desired)) == desired);
    for (const auto outcome : {Outcome::ok, Outcome::rejected, Outcome::failed, Outcome::rolled_back,
                               Outcome::superseded, Outcome::cancelled})
        CHECK(outcome_named(name_of(outcome)) == outcome);
    for (const auto trigger : {Trigger::poll, Trigger::command, Trigger::start, Trigger::config,
                               Trigger::heal, Trigger::rollback, Trigger::retry})
        CHECK(trigger_named(name_of(trigger)) == trigger);
    std::set<std::string_view> kinds;
    for (int kind = 0; kind <= static_cast<int>(DecisionKind::rollback_failed); ++kind) {
        CHECK(decision_kind_named(name_of(static_cast<DecisionKind>(kind))) ==
              static_cast<DecisionKind>(kind));
        CHECK(kinds.insert(name_of(static_cast<DecisionKind>(kind))).second);
    }
    CHECK(name_of(Outcome::rolled_back) == "rolled-back");
    CHECK(name_of(Health::missing) == "missing");
    CHECK(name_of(static_cast<Health>(99)) == "unknown");
    CHECK_FALSE(desired_named("Running").has_value());
    CHECK_FALSE(outcome_named("").has_value());
}

TEST_CASE("the table of operations") {
    std::set<std::string_view> names;
    for (const auto& operation : all_operations()) {
        CAPTURE(operation.name);
        CHECK(names.insert(operation.name).second);
        CHECK(find_operation(operation.name) == &operation);
        CHECK(&operation_of(operation.op) == &operation);
        CHECK_FALSE(operation.summary.empty());
    }
    CHECK(find_operation("UP") == nullptr);
    CHECK(find_operation("") == nullptr);
}

TEST_CASE("work that an operation leads to has the operation's name, but for what deploys the tip") {
    for (const auto& operation : all_operations()) {
        CAPTURE(operation.name);
        if (operation.work && operation.work != Work::deploy)
            CHECK(name_of(*operation.work) == operation.name);
    }
    CHECK(name_of(Work::deploy) == "deploy");
    CHECK(name_of(Work::heal) == "heal");
}

TEST_CASE("a set of groups allows what it names") {
    const OperationGroups readers{.read = true};
    CHECK(readers.allows(OpGroup::read));
    CHECK_FALSE(readers.allows(OpGroup::deploy));
    CHECK_FALSE(readers.allows(OpGroup::exec));
    CHECK_FALSE(readers.allows(OpGroup::admin));
    CHECK(OperationGroups{.admin = true}.allows(OpGroup::admin));
    CHECK_FALSE(OperationGroups{.admin = true}.allows(OpGroup::read));
}
