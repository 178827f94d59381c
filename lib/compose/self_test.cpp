#include "compose/self_test.hpp"

#include "base/text.hpp"
#include "compose/json.hpp"
#include "compose/record.hpp"
#include "compose/self_test_commit.hpp"
#include "compose/translation.hpp"
#include "core/compose_version.hpp"
#include "core/plan_difference.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

namespace pgod::compose {

namespace {

constexpr const char* project = "demo";
constexpr std::string_view stage_mark = "@STAGE@";
constexpr std::string_view stage_prefix = "pgod-self-test-";
constexpr std::time_t longest_self_test = 600; // seconds; the translator's own deadline is far below

struct Expected {
    Plan plan;
    std::vector<std::string> violations; // as described
};

// What a self-test left that was killed.
void remove_abandoned_stages() {
    std::error_code failed;
    std::error_code ignored;
    for (std::filesystem::directory_iterator one("/tmp", failed), end; !failed && one != end;
         one.increment(failed)) {
        struct stat status {};
        if (one->path().filename().string().starts_with(stage_prefix) &&
            ::lstat(one->path().c_str(), &status) == 0 && status.st_uid == ::geteuid() &&
            status.st_mtime + longest_self_test < std::time(nullptr))
            std::filesystem::remove_all(one->path(), ignored); // follows no link
    }
}

// Of the built-in commit; gone with this.
class TemporaryStage {
  public:
    static Result<TemporaryStage> make() {
        remove_abandoned_stages();
        std::array<char, 32> name{"/tmp/pgod-self-test-XXXXXX"};
        if (::mkdtemp(name.data()) == nullptr)
            return errno_error("make a directory for the self-test of podman-compose");
        std::error_code failed;
        TemporaryStage made(std::filesystem::canonical(name.data(), failed)); // /tmp may be a link
        if (failed) {
            (void)::rmdir(name.data());
            return Error{Code::transient, fmt::format("find {}: {}", name.data(), failed.message())};
        }
        return made;
    }
    TemporaryStage(TemporaryStage&& other) noexcept
        : path_(std::exchange(other.path_, {})) {}
    TemporaryStage& operator=(TemporaryStage&&) = delete;
    ~TemporaryStage() {
        std::error_code ignored;
        if (!path_.empty())
            std::filesystem::remove_all(path_, ignored);
    }

    const std::string& path() const noexcept { return path_; }

    Status fill() const {
        std::error_code failed;
        for (const char* directory : {"build", "real"})
            if (!std::filesystem::create_directory(path_ + '/' + directory, failed))
                return problem(failed);
        std::filesystem::create_symlink("real", path_ + "/link", failed);
        if (failed)
            return problem(failed);
        for (const auto& [name, text] :
             {std::pair<const char*, const char*>{"compose.yaml", self_test_compose_file},
              {".env", "ADMIN=of the repository\nREPO=r\n"},
              {"web.env", "ADMIN=of the repository\n"},
              {"build/Dockerfile", "FROM scratch\n"}})
            if (!(std::ofstream(path_ + '/' + name) << text).flush())
                return problem(std::make_error_code(std::errc::io_error));
        return ok();
    }

  private:
    explicit TemporaryStage(std::string path)
        : path_(std::move(path)) {}

    Error problem(const std::error_code& code) const {
        return {Code::transient, fmt::format("write {}: {}", path_, code.message())};
    }

    std::string path_;
};

Result<Expected> expected_in(const std::string& stage) {
    std::string text = self_test_plan;
    for (auto at = text.find(stage_mark); at != std::string::npos; at = text.find(stage_mark, at))
        text.replace(at, stage_mark.size(), stage);
    auto record = TRY(record_from_json(text));
    return Expected{std::move(record.plan), texts_of(parse_json(text), "violations")};
}

// Where the plan is not the expected one, in few words.
std::string difference(const Plan& expected, const Plan& plan) {
    for (const auto& container : difference_of(expected, plan).containers)
        if (container.change != Change::unchanged)
            return fmt::format("container {} is {}{}{}", container.name, name_of(container.change),
                               container.how.empty() ? "" : ": ", fmt::join(container.how, ", "));
    return plan.builds != expected.builds       ? "builds"
           : plan.networks != expected.networks ? "networks"
           : plan.volumes != expected.volumes   ? "volumes"
           : plan.files != expected.files       ? "the files that it opens"
                                                : "its model";
}

std::vector<std::string> described(const std::vector<Violation>& violations) {
    std::vector<std::string> sentences;
    for (const auto& violation : violations)
        sentences.push_back(describe(violation));
    return sentences;
}

// The first sentence that only one of them has.
std::string difference(const std::vector<std::string>& expected, const std::vector<std::string>& found) {
    const auto [one, other] = std::mismatch(expected.begin(), expected.end(), found.begin(), found.end());
    return other != found.end() ? *other : "not refused: " + *one;
}

// Why it fails, in few words; empty: it passes.
Result<std::string> failure_of(const Answer& answer, const std::string& stage) {
    if (!answer.translation)
        return answer.translation.error().message;
    if (!answer.translation->is_complete)
        return summary_of(answer.translation->reasons);
    const auto expected = TRY(expected_in(stage));
    auto [plan, violations] = parse_plan(answer.translation->calls, project, answer.translation->model);
    plan.files = answer.translation->files;
    if (const auto found = described(violations); found != expected.violations)
        return difference(expected.violations, found);
    return plan == expected.plan ? std::string() : difference(expected.plan, plan);
}

Status tested(const std::vector<std::string>& environment) {
    const auto stage = TRY(TemporaryStage::make());
    TRY(stage.fill());
    const auto answer =
        TRY(ask_translator({stage.path(), "compose.yaml", project, environment, {"ADMIN=of the admin"}}));
    if (answer.version.empty() && !answer.translation)
        return answer.translation.error();
    const std::string failure = TRY(failure_of(answer, stage.path()));
    if (failure.empty())
        return ok();
    return Error{Code::transient,
                 fmt::format("podman-compose {} fails pgod's self-test ({}); install one of {}",
                             answer.version, escaped(shortened(failure, 300)), compared_composes())};
}

} // namespace

// Whatever fails here is the host's: the commit is ours.
Status self_test(const std::vector<std::string>& environment) {
    if (auto passed = tested(environment); !passed)
        return Error{Code::transient, std::move(passed).error().message};
    return ok();
}

} // namespace pgod::compose
