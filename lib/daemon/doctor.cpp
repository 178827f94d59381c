#include "daemon/doctor.hpp"

#include "base/text.hpp"
#include "daemon/doctor_checks.hpp"
#include "daemon/event_loop.hpp"
#include "daemon/git_jobs.hpp"
#include "daemon/worker.hpp"
#include "os/users.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds worker_patience = 2min; // podman itself gets one
constexpr auto longest = 10min;                             // for what asks others, all at once
constexpr auto no_answer = "there was no answer within 10 minutes";
constexpr std::size_t max_sentence = 1000; // bytes of what a worker, which is the user's, has to say

std::string shown(std::string_view text) {
    return escaped(shortened(text, max_sentence));
}

// What is asked of other processes, side by side.
class Visit {
  public:
    Visit(const Config& config, std::vector<Finding>& findings)
        : config_(config)
        , findings_(findings) {}

    void run() {
        if (auto started = git_.start(); !started) {
            findings_.push_back(
                {"host", "pgod-git", started.error().message, "apt-get install --reinstall pgod"});
            return;
        }
        for (const auto& service : config_.services) {
            const auto user = os::find_user(service.user);
            if (!user)
                continue;
            if (workers_.find(service.user) == workers_.end())
                ask_user(*user);
            ask_upstream(service, *user);
        }
        const auto over = loop_.after(longest, [this] { loop_.stop(); });
        if (!open_.empty())
            loop_.run();
        workers_.clear();
        for (auto& [about, finding] : open_) // "all is well" is not said of what nobody heard of
            findings_.push_back(std::move(finding));
    }

  private:
    void ask_user(const Identity& user) {
        ipc::WorkJob job;
        job.kind = ipc::WorkKind::examine;
        job.service = "doctor";
        job.deadline = worker_patience;
        const std::string about = fmt::format("user \"{}\"", user.name);
        const std::string runtime = fmt::format("/run/user/{}", user.uid);
        const std::string remedy = os::systemd_runs() && ::access(runtime.c_str(), F_OK) != 0
                                       ? fmt::format("loginctl enable-linger {}", user.name)
                                       : as_user(user.name, "podman info");
        auto worker = Worker::start(
            loop_, job, user, {},
            [this, about, remedy](const ipc::WorkDone& done) {
                if (done.error)
                    findings_.push_back({about, "podman", shown(done.error->message), remedy});
                answered(about);
            },
            [this, about](const ipc::WorkReport& report) {
                if (const auto* one = std::get_if<ipc::Examined>(&report))
                    findings_.push_back({about, shown(one->check), shown(one->problem),
                                         one->problem.empty() ? "" : shown(one->remedy)});
            });
        if (!worker) {
            findings_.push_back({about, "podman", worker.error().message, remedy});
            return;
        }
        workers_[user.name] = std::move(*worker);
        open_[about] = {about, "podman", no_answer, remedy};
    }

    void ask_upstream(const Service& service, const Identity& user) {
        const std::string about = fmt::format("service \"{}\"", service.name);
        open_[about] = {about, "repository", no_answer, remedy_of_repository(service, Code::timeout)};
        git_.look(service, user, [this, about, &service](const SyncResult& result) {
            findings_.push_back({about, "repository", result.error ? shown(result.error->message) : "",
                                 result.error ? remedy_of_repository(service, result.error->code) : ""});
            answered(about);
        });
    }

    void answered(const std::string& about) {
        open_.erase(about);
        if (open_.empty())
            loop_.stop();
    }

    const Config& config_;
    std::vector<Finding>& findings_;
    EventLoop loop_;
    GitJobs git_{loop_};
    std::map<std::string, std::unique_ptr<Worker>> workers_; // by user
    std::map<std::string, Finding> open_; // what has not answered, and what is to be said of it then
};

void append(std::vector<Finding>& all, std::vector<Finding> more) {
    std::move(more.begin(), more.end(), std::back_inserter(all));
}

} // namespace

std::vector<Finding> examine(const Config& config) {
    std::vector<Finding> findings = examine_host(config);
    append(findings, examine_proxy(config));
    std::map<std::string, bool> users;
    for (const auto& service : config.services) {
        const auto user = os::find_user(service.user);
        if (!users.emplace(service.user, true).second && !user)
            continue;
        if (!user) {
            findings.push_back({fmt::format("user \"{}\"", service.user), "user", user.error().message,
                                fmt::format("useradd --create-home {}", service.user)});
            continue;
        }
        append(findings, examine_user(*user, config.linger));
        append(findings, examine_service(service, *user));
    }
    Visit(config, findings).run();
    // Two services of one user: what is said of him is said once.
    std::vector<Finding> once;
    for (auto& finding : findings)
        if (std::find(once.begin(), once.end(), finding) == once.end())
            once.push_back(std::move(finding));
    const auto rank = [](const Finding& finding) {
        return finding.about == "host" ? 0 : finding.about.starts_with("user") ? 1 : 2;
    };
    std::stable_sort(once.begin(), once.end(), [&rank](const Finding& one, const Finding& other) {
        return std::pair(rank(one), one.about) < std::pair(rank(other), other.about);
    });
    return once;
}

bool all_good(const std::vector<Finding>& findings) {
    return std::all_of(findings.begin(), findings.end(),
                       [](const Finding& one) { return one.problem.empty(); });
}

std::string as_text(const std::vector<Finding>& findings) {
    std::string text;
    std::size_t bad = 0;
    for (const auto& finding : findings) {
        text += fmt::format("{:<4} {}: {}{}{}\n", finding.problem.empty() ? "ok" : "BAD", finding.about,
                            finding.check, finding.problem.empty() ? "" : ": ", finding.problem);
        if (finding.problem.empty())
            continue;
        ++bad;
        text += fmt::format("     mend it with:  {}\n", finding.remedy);
    }
    return text +
           (bad == 0 ? "all is well\n" : fmt::format("{} of {} checks failed\n", bad, findings.size()));
}

std::string as_json(const std::vector<Finding>& findings) {
    auto checks = nlohmann::json::array();
    for (const auto& finding : findings)
        checks.push_back({{"about", finding.about},
                          {"check", finding.check},
                          {"good", finding.problem.empty()},
                          {"problem", finding.problem},
                          {"remedy", finding.remedy}});
    const nlohmann::json json{{"good", all_good(findings)}, {"checks", std::move(checks)}};
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

} // namespace pgod::daemon
