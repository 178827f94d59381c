// The doctor's look at the reverse proxy: its configuration is good, reads pgod's file, and that file holds
// the names and was loaded. Writes nothing but a scratch file of its own.
#include "base/text.hpp"
#include "daemon/doctor_checks.hpp"
#include "daemon/proxy_files.hpp"
#include "os/run.hpp"
#include "os/safe_path.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>

namespace pgod::daemon {

namespace {

// For the probe, which the check is to see in the file's place.
class ScratchDirectory {
  public:
    ScratchDirectory() {
        if (::mkdtemp(name_.data()) == nullptr)
            name_.front() = '\0';
    }
    ~ScratchDirectory() {
        if (const auto parent = os::open_directory("/tmp"); parent && name_.front() != '\0')
            (void)os::remove_tree(parent->get(), path().substr(sizeof "/tmp/" - 1));
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    // Empty: it could not be made.
    std::string path() const { return name_.data(); }

  private:
    std::array<char, 24> name_{"/tmp/pgod-doctor-XXXXXX"};
};

class ProxyCheck {
  public:
    explicit ProxyCheck(const Config& config)
        : config_(config)
        , settings_(*config.proxy)
        , files_(settings_, config.state) {}

    std::vector<Finding> examine() && {
        const bool good = check_configuration();
        const auto present = files_.present();
        if (!present)
            add("proxy file", present.error().message, "systemctl reload pgod");
        else if (!*present)
            add("proxy file", settings_.file + " is not there: pgod writes it when it runs",
                "systemctl restart pgod");
        else {
            if (good)
                check_include();
            check_text(**present);
        }
        return std::move(findings_);
    }

  private:
    void add(std::string check, std::string problem, std::string remedy) {
        if (problem.empty())
            remedy.clear();
        findings_.push_back({"host", std::move(check), std::move(problem), std::move(remedy)});
    }

    Result<os::RunResult> run(Result<os::SpawnRequest> request) const {
        os::RunRequest wanted;
        wanted.spawn = TRY(std::move(request));
        wanted.spawn.die_with_parent = true;
        wanted.deadline = settings_.timeout;
        wanted.max_output = 16384;
        return os::run(wanted);
    }

    bool check_configuration() {
        const auto done = run(files_.check());
        std::string problem;
        if (!done)
            problem = done.error().message;
        else if (done->timed_out)
            problem = fmt::format("the check of {} did not end in time", settings_.main);
        else if (!done->succeeded())
            problem = fmt::format("{} is not accepted: {}", settings_.main,
                                  complaint_in(done->output + "\n" + done->errors));
        add("proxy configuration", problem, fmt::format("{}", fmt::join(settings_.check, " ")));
        return problem.empty();
    }

    void check_include() {
        const ScratchDirectory scratch;
        if (scratch.path().empty())
            return add("proxy include", "no directory can be made in /tmp to look with",
                       "df /tmp; df -i /tmp");
        const auto done = run(ProxyFiles(settings_, scratch.path()).check_of(proxy_probe(settings_.kind)));
        std::string problem;
        if (!done)
            problem = done.error().message;
        else if (done->succeeded())
            problem = fmt::format("{} does not read {}, so the urls of no service are served", settings_.main,
                                  settings_.file);
        add("proxy include", problem, command_to_include(settings_) + " && systemctl reload pgod");
    }

    void check_text(const std::string& text) {
        for (const auto& service : config_.services)
            for (const auto& [name, forward] : service.urls)
                if (text.find(render_site(settings_, {name, service.name, forward})) == std::string::npos)
                    return add("proxy file",
                               fmt::format("{} does not have {} as it is configured", settings_.file, name),
                               "systemctl reload pgod && journalctl -u pgod -g proxy");
        add("proxy file",
            files_.loaded() == text
                ? ""
                : fmt::format("what {} holds was not loaded by {}", settings_.file, name_of(settings_.kind)),
            "systemctl reload pgod && journalctl -u pgod -g proxy");
    }

    const Config& config_;
    const ProxySettings& settings_;
    ProxyFiles files_;
    std::vector<Finding> findings_;
};

} // namespace

std::vector<Finding> examine_proxy(const Config& config) {
    if (!config.proxy || ::geteuid() != 0)
        return {};
    return ProxyCheck(config).examine();
}

} // namespace pgod::daemon
