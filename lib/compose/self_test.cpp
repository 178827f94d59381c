#include "compose/self_test.hpp"

#include "base/text.hpp"
#include "compose/translation.hpp"
#include "core/plan_canonical.hpp"
#include "core/plan_difference.hpp"
#include "core/policy_nested.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace pgod::compose {

namespace {

constexpr const char* compose_file = R"(services:
  web:
    image: docker.io/library/nginx:1
    command: sh -c "echo ${ADMIN} ${NOBODY:-by default}"
    environment: {A: "${ADMIN}", B: $REPO}
    env_file: web.env
    volumes: ["./link:/link", "data:/data:ro", {type: bind, source: ./link, target: /long}]
    networks: {front: {aliases: [www]}}
    depends_on: {db: {condition: service_healthy}}
    healthcheck: {test: [CMD, curl, -f, x y], interval: 30s}
    ports: ["8080:80"]
    deploy: {replicas: 2}
  db:
    image: own
    build: {context: build, args: {X: 1}}
    network_mode: none
    restart: always
    dns: [192.0.2.1]
networks: {front: {internal: true}, unused: {}}
volumes: {data: {labels: {a: b}}}
x-pgo: {strategy: changed}
)";

// Of the built-in commit; gone with this.
class TemporaryStage {
  public:
    static Result<TemporaryStage> make() {
        std::array<char, 32> name{"/tmp/pgod-self-test-XXXXXX"};
        if (::mkdtemp(name.data()) == nullptr)
            return errno_error("make a directory for the self-test of podman-compose");
        return TemporaryStage(name.data());
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
        for (const auto& [name, text] : {std::pair<const char*, const char*>{"compose.yaml", compose_file},
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

std::vector<PlanOption> with_labels(std::vector<PlanOption> options, const std::string& service, int number) {
    for (const auto& label :
         {std::string("io.podman.compose.project=demo"), std::string("com.docker.compose.project=demo"),
          fmt::format("com.docker.compose.container-number={}", number),
          "com.docker.compose.service=" + service})
        options.push_back({"--label", label});
    return options;
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

} // namespace

Plan plan_of_self_test(const std::string& stage) {
    const std::vector<std::string> labels{"com.docker.compose.project=demo",
                                          "io.podman.compose.project=demo"};
    Plan plan;
    plan.project = "demo";
    plan.files = {".env", "compose.yaml"};
    plan.builds = {{"own", stage + "/build", stage + "/build/Dockerfile", {{"--build-arg", "X=1"}}}};
    plan.volumes = {{"demo_data", {"a=b", labels[0], labels[1]}}};
    plan.networks = {{"demo_front", labels, true}};
    plan.containers.push_back({"demo_db_1",
                               "db",
                               with_labels({{"--network", "none"}, {"--restart", "always"}}, "db", 1),
                               "own",
                               {}});
    for (const int number : {1, 2})
        plan.containers.push_back({fmt::format("demo_web_{}", number),
                                   "web",
                                   with_labels({{"--env-file", stage + "/web.env"},
                                                {"--env", "A=of the admin"},
                                                {"--env", "B=r"},
                                                {"--volume", stage + "/real:/link"},
                                                {"--volume", "demo_data:/data:ro"},
                                                {"--volume", stage + "/real:/long"},
                                                {"--network", "demo_front"},
                                                {"--network-alias", "web"},
                                                {"--network-alias", "www"},
                                                {"--publish", "8080:80"},
                                                {"--health-cmd", R"(["curl", "-f", "x y"])"},
                                                {"--health-interval", "30s"}},
                                               "web", number),
                                   "docker.io/library/nginx:1",
                                   {"sh", "-c", "echo of the admin by default"}});
    plan.model.keys = {"services", "networks", "volumes", "x-pgo"};
    plan.model.settings["strategy"] = "changed";
    plan.model.services["web"] = {{"image", "command", "environment", "env_file", "volumes", "networks",
                                   "depends_on", "healthcheck", "ports", "deploy"},
                                  {{"db", "service_healthy"}},
                                  "",
                                  false};
    plan.model.services["db"] = {{"image", "build", "network_mode", "restart", "dns"}, {}, "always", true};
    return canonical(std::move(plan));
}

Status self_test(const std::vector<std::string>& environment) {
    const auto stage = TRY(TemporaryStage::make());
    TRY(stage.fill());
    const auto failed = [](std::string_view version, std::string_view how) {
        return Error{Code::transient,
                     fmt::format("podman-compose {} fails pgod's self-test ({}); install another version",
                                 version, escaped(shortened(how, 300)))};
    };
    auto answer =
        TRY(ask_translator({stage.path(), "compose.yaml", "demo", environment, {"ADMIN=of the admin"}}));
    if (answer.version.empty())
        return answer.translation.error();
    if (!answer.translation)
        return failed(answer.version, answer.translation.error().message);
    auto& translation = *answer.translation;
    auto [plan, violations] = parse_plan(translation.calls, "demo", std::move(translation.model));
    plan.files = std::move(translation.files);
    if (!violations.empty())
        return failed(answer.version, describe(violations.front()));
    if (translation.nested.empty() || !judge_nested_keys(translation.nested).empty())
        return failed(answer.version, "the keys within its settings");
    if (const Plan expected = plan_of_self_test(stage.path()); plan != expected)
        return failed(answer.version, difference(expected, plan));
    return ok();
}

} // namespace pgod::compose
