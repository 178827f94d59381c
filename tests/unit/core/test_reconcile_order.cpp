// What a service waits for that comes after others, and how it is told.
#include "core/reconcile_order.hpp"
#include "core/reconcile_reason.hpp"
#include "reconcile_drive.hpp"

using namespace pgod;
using namespace pgod::reconcile;
using namespace pgod::reconcile::test;

namespace {

// What "db" has in the way of a service that comes after it.
Settings seen(const State& db) {
    Settings settings;
    look_at_other(settings, "db", &db);
    return settings;
}

const Passing db_works{"db", Passing::What::working};
const Passing db_starts{"db", Passing::What::starting};
const Lasting db_degraded{"db", Lasting::Unhealthy{Health::degraded}};

State standing() {
    State db = settled_service().state;
    CHECK_FALSE(seen(db).awaits);
    CHECK_FALSE(seen(db).held_by);
    return db;
}

} // namespace

TEST_CASE("what passes by itself is awaited") {
    Settings unbegun;
    look_at_other(unbegun, "db", nullptr);
    CHECK(unbegun.awaits == Passing{"db", Passing::What::beginning});
    CHECK(seen(State{}).awaits == Passing{"db", Passing::What::beginning});

    State db = standing();
    db.health = Health::progressing;
    CHECK(seen(db).awaits == db_starts);

    db = standing();
    db.synced.reset(); // after a start of pgod
    CHECK(seen(db).awaits == Passing{"db", Passing::What::asking_upstream});
    db.sync_error = "https://x/r: connection refused";
    CHECK_FALSE(seen(db).awaits);
    CHECK_FALSE(seen(db).held_by);

    for (const auto& [phase, awaited] : {std::pair{Phase(phase::Exporting{Work::deploy}), true},
                                         {phase::Queued{Work::heal}, true},
                                         {phase::Working{Work::rollback}, true},
                                         {phase::Working{Work::restart}, true},
                                         {phase::Working{Work::down}, true},
                                         {phase::Working{Work::pull}, false},
                                         {phase::Exporting{Work::check}, false}}) {
        db = standing();
        db.phase = phase;
        CHECK(seen(db).awaits.has_value() == awaited);
    }
}

TEST_CASE("healing and rollback wait for another service only while its containers change or start") {
    State db = standing();
    for (const auto& [reach, awaited] :
         {std::pair{Reach::preparing, false}, {Reach::at_gate, false}, {Reach::changing, true}}) {
        db.phase = phase::Working{.work = Work::deploy, .reach = reach};
        CHECK(seen(db).awaits);
        CHECK(seen(db).unsettled.has_value() == awaited);
    }
    db.phase = phase::Queued{Work::deploy};
    CHECK_FALSE(seen(db).unsettled);
    db = standing();
    db.health = Health::progressing;
    CHECK(seen(db).unsettled);

    Drive drive = settled_service();
    drive.settings.awaits = db_works;
    CHECK(drive(Op::rollback) == "persist work(rollback,,7)");
    Drive waits = settled_service();
    waits.settings.unsettled = db_starts;
    CHECK(waits(Op::rollback) == "tell(7) persist await(true)");
}

TEST_CASE("what somebody has to mend holds a new version back") {
    const auto held_by = [](auto change) {
        State db = standing();
        change(db);
        CHECK_FALSE(seen(db).awaits);
        const auto obstacle = seen(db).held_by;
        return obstacle ? text_of(*obstacle) : std::string();
    };
    CHECK(held_by([](State& db) { db.phase = phase::Unavailable{"user \"x\" does not exist"}; }) ==
          "db, which it comes after, cannot be served: user \"x\" does not exist");
    CHECK(held_by([](State& db) { db.durable.intent.desired = Desired::stopped; }) ==
          "db, which it comes after, is stopped");
    CHECK(held_by([](State& db) { db.durable.outcome = Outcome::rolled_back; }) ==
          "db, which it comes after, has a deployment that was rolled-back");
    CHECK(held_by([](State& db) { db.durable.outcome = Outcome::rejected; }) ==
          "db, which it comes after, has a deployment that was rejected");
    CHECK(held_by([](State& db) { db.health = Health::degraded; }) ==
          "db, which it comes after, is degraded");
    CHECK(held_by([](State& db) { db.running.clear(); }) == "db, which it comes after, was never deployed");
    CHECK(held_by([](State& db) { db.durable.suspension = Suspension{}; }).empty()); // it runs all the same
}

TEST_CASE("a commit waits while another service is under way, and goes on when it stands") {
    Drive drive = settled_service();
    drive.now += 60s;
    drive(Tick{});
    CHECK(drive(tip(commit_b)) == "note export(b)");
    drive.settings.awaits = db_works;
    CHECK(drive(ExportEnded{}) == "persist await(false)");
    CHECK(drive.decision() == "it waits: db, which it comes after, is being worked on");
    drive.settings.awaits.reset();
    CHECK(drive(TurnCame{}) == "persist work(deploy,b,0)");
}

TEST_CASE("a commit that waited for what then failed is left alone, and the client is told with 65") {
    for (const bool by_command : {false, true}) {
        Drive drive = settled_service();
        drive.now += 60s;
        by_command ? drive(Op::up) : drive(Tick{});
        drive(tip(commit_b));
        drive.settings.awaits = db_works;
        drive(ExportEnded{});
        drive.settings.awaits.reset();
        drive.settings.held_by = db_degraded;
        CHECK(drive(TurnCame{}) == (by_command ? "tell(7) finish(7,65)" : "warn persist"));
        CHECK(is_in<phase::Idle>(drive.state));
        CHECK(drive.state.running == commit_a);
    }
}

TEST_CASE("what holds a commit back is said once, polls go on, and its end deploys it") {
    Drive drive = settled_service();
    drive.settings.held_by = db_degraded;
    drive.now += 60s;
    drive(Tick{});
    CHECK(drive(tip(commit_b)) == "note warn persist");
    CHECK(drive.decision() == "bbbbbbbb is not deployed: db, which it comes after, is degraded");
    drive.now += 60s;
    CHECK(drive(Tick{}) == "sync(b)");
    CHECK(drive(tip(commit_b)) == "");
    CHECK(drive(OthersChanged{}) == "");
    CHECK(drive(Op::up) == "sync(b)");
    CHECK(drive(tip(commit_b)) == "export(b)");
    CHECK(drive(ExportEnded{}) == "tell(7) finish(7,65)");
    CHECK(drive(Op::restart) == "work(restart,,7)"); // of what runs
    drive(WorkEnded{0, {}, {}, commit_a, Health::healthy});
    drive.settings.held_by.reset();
    CHECK(drive(OthersChanged{}) == "sync(b)");
    CHECK(drive(tip(commit_b)) == "export(b)");
    CHECK(drive(ExportEnded{}) == "persist work(deploy,b,0)");
}

TEST_CASE("what already stands needs nobody") {
    Drive drive = settled_service();
    drive.settings.held_by = db_degraded;
    CHECK(drive(OthersChanged{}) == "");
    drive(Op::up);
    drive(tip(commit_a));
    CHECK(drive(ExportEnded{}) == "persist work(deploy,a,7)");
}

TEST_CASE("what is tried again after a passing failure does not spin while it is held back") {
    Drive drive = settled_service();
    drive.now += 60s;
    drive(Tick{});
    drive(tip(commit_b));
    drive(ExportEnded{});
    drive(WorkEnded{1, Outcome::failed, Error{Code::transient, "registry"}, commit_a, Health::healthy});
    CHECK(drive.state.next_deploy);
    drive.settings.held_by = db_degraded;
    drive.now = *drive.state.next_deploy;
    drive(Tick{});
    CHECK(*due(drive.state) > drive.now);
}
