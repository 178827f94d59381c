#include "daemon/survey.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <utility>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_parallel = 8;
constexpr std::size_t max_services = 256;  // of one survey: their names fit a frame
constexpr std::size_t max_sentence = 1000; // bytes of what a worker, which is the user's, has to say
constexpr std::chrono::milliseconds patience = 2min; // podman itself gets one

} // namespace

Surveys::~Surveys() = default;

void Surveys::ask(const std::string& service, const Identity& user, const std::string& services,
                  std::chrono::milliseconds spacing, Done done) {
    forget(service);
    User& asking = users_[user.name];
    const auto due = asking.begun ? std::max(Clock::now(), *asking.begun + spacing) : Clock::now();
    asking.due = asking.waiting.empty() ? due : std::min(asking.due, due);
    asking.identity = user;
    asking.services = services;
    asking.waiting[service] = std::move(done);
    schedule(user.name, asking);
}

void Surveys::forget(const std::string& service) {
    for (auto& [name, user] : users_) {
        user.waiting.erase(service);
        user.looked_at.erase(service);
    }
}

// From the loop: what else asks in this round comes along.
void Surveys::schedule(const std::string& name, User& user) {
    if (user.busy || user.waiting.empty())
        return;
    const auto delay = std::chrono::ceil<std::chrono::milliseconds>(user.due - Clock::now());
    user.timer = loop_.after(std::max(delay, 0ms), [this, name] {
        if (under_way_ < max_parallel)
            begin(name, users_[name]);
    });
}

void Surveys::begin(const std::string& name, User& user) {
    ipc::WorkJob job;
    job.kind = ipc::WorkKind::survey;
    job.service = "survey";
    job.directory = user.services;
    job.deadline = patience;
    while (!user.waiting.empty() && job.args.size() < max_services) {
        auto node = user.waiting.extract(user.waiting.begin());
        job.args.push_back(node.key());
        user.looked_at.insert(std::move(node));
    }
    user.begun = Clock::now();
    user.busy = true;
    ++under_way_;
    auto started = start_worker(name, user, std::move(job));
    if (started)
        return;
    ipc::WorkDone failed;
    failed.error = std::move(started).error();
    loop_.post([this, name, failed] { finish(name, failed); });
}

Status Surveys::start_worker(const std::string& name, User& user, ipc::WorkJob job) {
    user.worker = TRY(Worker::start(
        loop_, job, user.identity, {}, [this, name](const ipc::WorkDone& done) { finish(name, done); },
        [this, name](ipc::WorkReport report) {
            if (auto* seen = std::get_if<ipc::Surveyed>(&report))
                take(name, std::move(*seen));
        }));
    user.timer = loop_.after(patience, [&user] { user.worker->cancel(); });
    return ok();
}

void Surveys::take(const std::string& name, ipc::Surveyed seen) {
    auto node = users_[name].looked_at.extract(seen.service);
    if (node.empty()) // asked again meanwhile, or never
        return;
    if (!is_commit_id(seen.running_commit))
        seen.running_commit.clear();
    seen.problem = shortened(seen.problem, max_sentence);
    node.mapped()(std::move(seen));
}

void Surveys::finish(const std::string& name, const ipc::WorkDone& done) {
    User& user = users_[name];
    user.worker.reset();
    user.timer.cancel();
    user.busy = false;
    --under_way_;
    const Error error = done.error.value_or(Error{Code::internal, "the worker did not say what it saw"});
    for (auto& [service, tell] : std::exchange(user.looked_at, {}))
        tell(error);
    for (auto& [other, waiting] : users_)
        schedule(other, waiting);
}

} // namespace pgod::daemon
