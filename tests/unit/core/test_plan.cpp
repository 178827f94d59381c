#include "core/plan.hpp"

#include "core/mount.hpp"
#include "core/published_port.hpp"
#include "recorded_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

using namespace pgod;
using namespace pgod::test;

namespace {

std::vector<std::string> arguments_of(const PlannedContainer& container) {
    std::vector<std::string> arguments;
    for (const auto& option : container.options)
        if (!option.value.starts_with("io.podman.") && !option.value.starts_with("com.docker."))
            arguments.push_back(podman_argument(option));
    return arguments;
}

std::string all_of(const std::vector<Violation>& violations) {
    std::string text;
    for (const auto& violation : violations)
        text += describe(violation) + "\n";
    return text;
}

struct Row {
    std::string name;
    Argv given;
    std::vector<std::string> kept;
};

struct RefusedRow {
    std::string name;
    Argv given;
    const char* setting;
    const char* problem;
};

} // namespace

TEST_CASE("a recorded plan is read whole") {
    const auto [plan, violations] = parse_plan(recorded_calls(), "demo", recorded_model());
    CHECK(all_of(violations) == "");
    REQUIRE(plan.containers.size() == 2);
    REQUIRE(plan.builds.size() == 1);
    CHECK(plan.builds[0] == PlannedBuild{"demo_web",
                                         stage + "/app",
                                         stage + "/app/Dockerfile",
                                         {{"--target", "prod"}, {"--build-arg", "A=1"}}});
    const std::vector<std::string> project{"io.podman.compose.project=demo",
                                           "com.docker.compose.project=demo"};
    REQUIRE(plan.volumes.size() == 2);
    CHECK(plan.volumes[0].name == "demo_data");
    CHECK(plan.volumes[0].labels == std::vector<std::string>{project[0], project[1], "x=y"});
    REQUIRE(plan.networks.size() == 2);
    CHECK(plan.networks[0] == PlannedNetwork{"demo_default", project, false});
    CHECK(plan.networks[1].internal);

    const auto& db = plan.containers[0];
    CHECK(db.name == "mydb");
    CHECK(db.service == "db");
    CHECK(db.image == "docker.io/library/postgres:15");
    CHECK(db.command.empty());
    CHECK(arguments_of(db) == std::vector<std::string>{"--read-only",
                                                       "--cap-drop=ALL",
                                                       "--network=demo_default",
                                                       "--network-alias=db",
                                                       "--add-host=a:10.0.0.1",
                                                       "--expose=5432",
                                                       "--user=1000:1000",
                                                       "--workdir=/srv",
                                                       "--hostname=db",
                                                       "--shm-size=64m",
                                                       "--interactive",
                                                       "--stop-signal=SIGINT",
                                                       "--tty",
                                                       "--restart=on-failure:3",
                                                       "--ulimit=nofile=10:20",
                                                       "--ulimit=nproc=65535",
                                                       "--cpus=0.5",
                                                       "--cpu-shares=512",
                                                       "--memory=512m",
                                                       "--memory-reservation=128m",
                                                       "--init",
                                                       "--entrypoint=[\"/x\", \"a b\"]"});

    const auto& web = plan.containers[1];
    CHECK(web.command == std::vector<std::string>{"serve", "--privileged", ""});
    CHECK(std::count(web.options.begin(), web.options.end(), PlanOption{"--label", "foo=bar"}) == 1);
    CHECK(std::count(web.options.begin(), web.options.end(),
                     PlanOption{"--network", "demo_default,demo_front"}) == 1);
    CHECK(std::count(web.options.begin(), web.options.end(),
                     PlanOption{"--volume", stage + "/raw:/raw:Z,ro,rslave"}) == 1);
    CHECK(std::count(web.options.begin(), web.options.end(), PlanOption{"--health-retries", "3"}) == 1);
}

TEST_CASE("podman-compose's own labels: identity is kept, what changes with the stage is not") {
    const auto plan = parse_web(web_run({})).plan;
    std::vector<std::string> labels;
    for (const auto& option : plan.containers.at(0).options)
        if (option.flag == "--label")
            labels.push_back(option.value);
    CHECK(labels == std::vector<std::string>{
                        "io.podman.compose.project=demo", "com.docker.compose.project=demo",
                        "com.docker.compose.container-number=1", "com.docker.compose.service=web"});
}

TEST_CASE("flags that are kept, in their canonical form") {
    const std::vector<Row> rows{
        {"label", {"--label", "a=b=c"}, {"--label=a=b=c"}},
        {"env with anything in it", {"-e", "A=--privileged\n,\"x"}, {"--env=A=--privileged\n,\"x"}},
        {"empty env", {"-e", "A="}, {"--env=A="}},
        {"cap_drop", {"--cap-drop", "NET_RAW"}, {"--cap-drop=NET_RAW"}},
        {"env_file", {"--env-file", stage + "/a b.env"}, {"--env-file=" + stage + "/a b.env"}},
        {"tmpfs",
         {"--tmpfs", "/run:rw,size=64m,mode=1777,noexec"},
         {"--tmpfs=/run:rw,size=64m,mode=1777,noexec"}},
        {"named volume, long spelling",
         {"--volume", "demo_d:/d:nocopy,ro"},
         {"--volume=demo_d:/d:nocopy,ro"}},
        {"anonymous volume", {"-v", "/var/lib/x"}, {"--volume=/var/lib/x"}},
        {"bind options in random order", {"-v", "/a:/b:rw,Z,rprivate"}, {"--volume=/a:/b:Z,rprivate,rw"}},
        {"bind is normalised", {"-v", "/a//./b/:/b"}, {"--volume=/a/b:/b"}},
        {"bind of the whole repository", {"-v", ".:/app"}, {"--volume=" + stage + ":/app"}},
        {"mount: bind",
         {"--mount",
          "type=bind,src=./d,dst=/d,ro,bind-propagation=rslave,relabel=private,consistency=cached"},
         {"--volume=" + stage + "/d:/d:Z,ro,rslave"}},
        {"mount: bind without ./",
         {"--mount", "type=bind,source=d,target=/d"},
         {"--volume=" + stage + "/d:/d"}},
        {"mount: volume",
         {"--mount", "type=volume,source=demo_d,destination=/d,readonly=true"},
         {"--volume=demo_d:/d:ro"}},
        {"mount: anonymous", {"--mount", "type=volume,destination=/d"}, {"--volume=/d"}},
        {"mount: tmpfs",
         {"--mount", "type=tmpfs,destination=/t,tmpfs-size=1m,tmpfs-mode=700"},
         {"--tmpfs=/t:size=1m,mode=700"}},
        {"port without host port", {"-p", "80"}, {"--publish=80"}},
        {"log driver",
         {"--log-driver=journald", "--log-opt=tag=x"},
         {"--log-driver=journald", "--log-opt=tag=x"}},
        {"ulimits: host", {"--ulimit", "host"}, {"--ulimit=host"}},
        {"no healthcheck", {"--no-healthcheck"}, {"--no-healthcheck"}},
        {"interval disabled", {"--healthcheck-interval", "disable"}, {"--health-interval=disable"}},
        {"host-gateway", {"--add-host", "h:host-gateway"}, {"--add-host=h:host-gateway"}},
        {"IPv6 host", {"--add-host", "h:2001:db8::1"}, {"--add-host=h:2001:db8::1"}},
        {"pull is dropped", {"--pull", "if_not_present"}, {}},
        {"fractional memory", {"-m", "1.5g"}, {"--memory=1.5g"}},
        {"restart", {"--restart", "no"}, {"--restart=no"}},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        const auto [plan, violations] = parse_web(web_run(row.given));
        CHECK(all_of(violations) == "");
        REQUIRE(plan.containers.size() == 1);
        auto expected = row.kept;
        expected.push_back("--network=demo_default");
        expected.push_back("--network-alias=web");
        CHECK(arguments_of(plan.containers[0]) == expected);
    }
}

TEST_CASE("flags and values that are refused, under the setting they come from") {
    const std::vector<RefusedRow> rows{
        {"privileged", {"--privileged"}, "privileged", "is not allowed"},
        {"privileged with a value", {"--privileged=true"}, "image", "would become an option"},
        {"cap_add", {"--cap-add", "ALL"}, "cap_add", "\"ALL\" is not allowed"},
        {"devices", {"--device", "/dev/kvm"}, "devices", "\"/dev/kvm\" is not allowed"},
        {"security_opt", {"--security-opt", "seccomp=unconfined"}, "security_opt", "not allowed"},
        {"sysctls", {"--sysctl", "kernel.x=1"}, "sysctls", "not allowed"},
        {"pod", {"--pod=other"}, "pod", "not allowed"},
        {"annotations", {"--annotation", "run.oci.hooks=x"}, "annotations", "not allowed"},
        {"secrets", {"--secret", "s"}, "secrets", "not allowed"},
        {"pid", {"--pid", "host"}, "pid", "not allowed"},
        {"ipc", {"--ipc=host"}, "ipc", "not allowed"},
        {"uts", {"--uts", "host"}, "uts", "not allowed"},
        {"userns_mode", {"--userns", "host"}, "userns_mode", "not allowed"},
        {"volumes_from", {"--volumes-from", "x"}, "volumes_from", "not allowed"},
        {"group_add", {"--group-add", "keep-groups"}, "group_add", "not allowed"},
        {"unknown", {"--cidfile", "/home/u/x"}, "image", "would become an option"},
        {"publishall", {"-P"}, "publishall", "not allowed"},
        {"init-path", {"--init-path", "/bin/x"}, "init-path", "not allowed"},
        {"network_mode host", {"--network", "host"}, "network_mode", "\"host\" is not allowed"},
        {"network_mode none", {"--network", "none"}, "network_mode", "\"none\" is not allowed"},
        {"network_mode container:", {"--network", "container:x"}, "network_mode", "not allowed"},
        {"network_mode ns:", {"--network", "ns:/proc/1/ns/net"}, "network_mode", "not allowed"},
        {"network_mode slirp4netns:",
         {"--network", "slirp4netns:allow_host_loopback=true"},
         "network_mode",
         "not allowed"},
        {"network with options", {"--net", "demo_default:ip=1.2.3.4"}, "network_mode", "not allowed"},
        {"no network", {"--net", ""}, "networks", "none called \"default\""},
        {"name of a network", {"--net", "a b"}, "networks", "is not the name of a network"},
        {"log path", {"--log-driver=k8s-file", "--log-opt=path=/home/u/x"}, "logging", "path=/home/u/x"},
        {"log path in capitals", {"--log-opt=PATH=/home/u/x"}, "logging", "PATH=/home/u/x"},
        {"log path behind a comma", {"--log-opt=max-size=1m,path=/x"}, "logging", "is not max-size"},
        {"log tag behind a quote", {"--log-opt=tag=a\",\"path=/x"}, "logging", "is not max-size"},
        {"log driver", {"--log-driver=passthrough"}, "logging", "is not journald"},
        {"pgod label", {"--label", "pgod.service=x"}, "labels", "only pgod sets"},
        {"own label of another project",
         {"--label", "io.podman.compose.project=other"},
         "labels",
         "only podman-compose sets"},
        {"own label given again",
         {"--label", "com.docker.compose.service=db"},
         "labels",
         "only podman-compose sets"},
        {"own label that is unknown",
         {"--label", "com.docker.compose.oneoff=True"},
         "labels",
         "only podman-compose sets"},
        {"auto-update", {"--label", "io.containers.autoupdate=registry"}, "labels", "auto-update"},
        {"systemd unit", {"--label", "PODMAN_SYSTEMD_UNIT=x.service"}, "labels", "auto-update"},
        {"label without a name", {"--label", "=x"}, "labels", "is not the name of a label"},
        {"variable without value", {"-e", "HOME"}, "environment", "\"HOME\" has no value"},
        {"wildcard variable", {"-e", "*"}, "environment", "\"*\" has no value"},
        {"variable without name", {"-e", "=x"}, "environment", "is not the name of a variable"},
        {"two ports in one", {"-p", "8080:80,22:22"}, "ports", "8080:80,22:22"},
        {"quoted ports", {"-p", "\"8080:80\""}, "ports", "is not [ADDRESS:]"},
        {"port with a space", {"-p", " 80:80"}, "ports", "is not [ADDRESS:]"},
        {"port with what interpolation left", {"-p", "${PORT:+80}:80"}, "ports", "is not [ADDRESS:]"},
        {"port 0", {"-p", "0:80"}, "ports", "host port 0"},
        {"port too big", {"-p", "65536:80"}, "ports", "is not [ADDRESS:]"},
        {"ranges that differ", {"-p", "80-82:80-81"}, "ports", "different lengths"},
        {"range backwards", {"-p", "90-80:90-80"}, "ports", "is not [ADDRESS:]"},
        {"host name as address", {"-p", "localhost:80:80"}, "ports", "is not [ADDRESS:]"},
        {"address without brackets", {"-p", "::1:80:80"}, "ports", "is not [ADDRESS:]"},
        {"brackets without host port", {"-p", "[::1]:80"}, "ports", "is not [ADDRESS:]"},
        {"protocol", {"-p", "80:80/icmp"}, "ports", "is not [ADDRESS:]"},
        {"two protocols", {"-p", "80:80/tcp/udp"}, "ports", "is not [ADDRESS:]"},
        {"overlay", {"-v", "/a:/b:O"}, "volumes", "mount option \"O\""},
        {"chown", {"-v", "/a:/b:U"}, "volumes", "mount option \"U\""},
        {"shared", {"-v", "/a:/b:rshared"}, "volumes", "mount option \"rshared\""},
        {"idmap", {"-v", "/a:/b:idmap"}, "volumes", "mount option \"idmap\""},
        {"upperdir", {"-v", "/a:/b:upperdir=/etc"}, "volumes", "mount option \"upperdir=/etc\""},
        {"devices in a bind", {"-v", "/a:/b:dev"}, "volumes", "mount option \"dev\""},
        {"both ro and rw", {"-v", "/a:/b:ro,rw"}, "volumes", "repeats or contradicts"},
        {"too many fields", {"-v", "/a:/b:ro:/c"}, "volumes", "more than source, target and options"},
        {"backslash", {"-v", "/a\\b:/c"}, "volumes", "backslash"},
        {"home", {"-v", "~/x:/x"}, "volumes", "neither a volume's name nor a path"},
        {"dots in a source", {"-v", "../../z:/z"}, "volumes", "holds \"..\""},
        {"dots in an absolute source", {"-v", "/srv/stage/1/../2:/z"}, "volumes", "holds \"..\""},
        {"relative target", {"-v", "demo_d:d"}, "volumes", "is not an absolute path"},
        {"target with dots", {"-v", "/a:/b/../proc"}, "volumes", "is not an absolute path"},
        {"same target twice",
         {"-v", "/a:/b", "--tmpfs", "/b"},
         "volumes",
         "two mounts have the target \"/b\""},
        {"mount type", {"--mount", "type=devpts,destination=/dev/pts"}, "volumes", "of type \"devpts\""},
        {"image mount", {"--mount", "type=image,source=x,destination=/d"}, "volumes", "of type \"image\""},
        {"mount without type", {"--mount", "source=/etc,destination=/d"}, "volumes", "of type \"\""},
        {"mount field", {"--mount", "type=bind,source=/a,destination=/d,U=true"}, "volumes", "\"U=true\""},
        {"mount in CSV", {"--mount", "type=bind,\"source=/a,x\",destination=/d"}, "volumes", "quote"},
        {"volume that is a path",
         {"--mount", "type=volume,source=/etc,destination=/d"},
         "volumes",
         "does not fit its type"},
        {"bind without source", {"--mount", "type=bind,destination=/d"}, "volumes", "has no source"},
        {"tmpfs with source",
         {"--mount", "type=tmpfs,source=/etc,destination=/d"},
         "volumes",
         "is not a tmpfs"},
        {"tmpfs option", {"--tmpfs", "/t:suid"}, "tmpfs", "is not an absolute path with options"},
        {"env_file with a comma",
         {"--env-file", "/srv/stage/1/a,/etc/passwd"},
         "env_file",
         "without colon, comma"},
        {"cap_drop in CSV", {"--cap-drop", "a,b"}, "cap_drop", "is not the name"},
        {"alias", {"--network-alias", "a,b"}, "networks", "is not a name"},
        {"hosts in CSV", {"--add-host", "a:1.1.1.1,b:2.2.2.2"}, "extra_hosts", "is not NAME:ADDRESS"},
        {"expose", {"--expose", "80,81"}, "expose", "is not a port"},
        {"user", {"-u", "a b"}, "user", "is not USER"},
        {"working_dir", {"-w", "srv"}, "working_dir", "is not an absolute path"},
        {"hostname", {"--hostname", "a/b"}, "hostname", "is not a host name"},
        {"shm_size", {"--shm-size", "much"}, "shm_size", "is not a size"},
        {"stop_signal", {"--stop-signal", "-9"}, "stop_signal", "is not a signal"},
        {"pull_policy", {"--pull", "sometimes"}, "pull_policy", "is not always"},
        {"restart: no without quotes", {"--restart", "False"}, "restart", "\"no\" (with its quotes)"},
        {"restart count", {"--restart", "on-failure:x"}, "restart", "is not"},
        {"ulimit", {"--ulimit", "nofile=1,nproc=2"}, "ulimits", "is not NAME=SOFT"},
        {"cpus", {"--cpus", "-1"}, "cpus", "is not a number"},
        {"memory", {"-m", "-1"}, "mem_limit", "is not a size"},
        {"interval without unit", {"--healthcheck-interval", "30"}, "healthcheck", "is not a duration"},
        {"retries", {"--healthcheck-retries", "0"}, "healthcheck", "is not a number of retries"},
        {"a flag twice", {"-u", "1", "-u", "2"}, "user", "\"--user\" is given twice"},
    };
    std::set<std::string> names;
    for (const auto& row : rows) {
        CAPTURE(row.name);
        CHECK(names.insert(row.name).second);
        const auto violations = parse_web(web_run(row.given)).violations;
        REQUIRE(violations.size() == 1);
        CHECK(violations[0].service == "web");
        CHECK(violations[0].setting == row.setting);
        CAPTURE(violations[0].problem);
        CHECK(violations[0].problem.find(row.problem) != std::string::npos);
    }
}

TEST_CASE("an image that would become an option of podman") {
    auto model = web_model();
    model.services["web"].keys = {"image", "command"};
    for (const Argv& image : std::vector<Argv>{{"--privileged", "alpine", "sh"},
                                               {"--read-only", "alpine", "sh"},
                                               {"--publish=80:80", "alpine"},
                                               {"--volume=/:/host", "alpine"},
                                               {"--pid=host", "alpine"},
                                               {"--cap-add", "ALL", "alpine"},
                                               {"-it", "alpine"},
                                               {"-v/:/host", "alpine"},
                                               {"--rootfs", "/"},
                                               {"--env-host", "alpine"},
                                               {"--", "alpine"},
                                               {"-"},
                                               {"--env"}}) {
        CAPTURE(image[0]);
        const auto violations =
            parse_plan(with_default_network(web_run({}, {}, image)), "demo", model).violations;
        REQUIRE(violations.size() == 1);
        CHECK(violations[0].setting == "image");
        CHECK(violations[0].problem.find("would become an option of podman") != std::string::npos);
    }
}

TEST_CASE("names of images") {
    const std::string digest = "@sha256:" + std::string(64, 'a');
    for (const std::string& image :
         {std::string("alpine"), std::string("docker:24-dind"), std::string("localhost:5000/a/b_c.d:v1"),
          "ghcr.io/a/b:1" + digest, std::string("localhost/x")}) {
        CAPTURE(image);
        CHECK(all_of(parse_web(web_run({}, {}, {image})).violations) == "");
    }
    for (const std::string& image :
         {std::string(), std::string("oci:layout"), std::string("dir:/home/u"), std::string("oci-archive:x"),
          std::string("docker://alpine"), std::string("containers-storage:x"), std::string("a b"),
          std::string("a@sha256:12"), std::string("/etc"), std::string("./x"), std::string("a//b"),
          std::string("a:"), std::string("tarball:x.tar")}) {
        CAPTURE(image);
        const auto violations = parse_web(web_run({}, {}, {image})).violations;
        REQUIRE(violations.size() == 1);
        CHECK(violations[0].setting == "image");
    }
    CHECK(parse_web(web_run({}, {}, {})).violations.at(0).problem == "there is none");
}

TEST_CASE("names of containers and services") {
    auto run = web_run({});
    run[1] = "--name=--all";
    auto violations = parse_web(run).violations;
    REQUIRE(violations.size() == 1);
    CHECK(violations[0].setting == "container_name");
    CHECK(violations[0].problem.find("\"--all\" is not a name") == 0);

    run[1] = "--name=demo_a/../b,c_1";
    CHECK(parse_web(run).violations.at(0).setting == "container_name");

    run = joined({{"run", "--name=x", "-d", "alpine"}});
    CHECK(parse_web(run).violations.at(0).problem.find("com.docker.compose.service is missing") !=
          std::string::npos);
}

TEST_CASE("builds") {
    struct BuildRow {
        Argv arguments; // after `build -t demo_web`
        const char* problem;
        std::string context = {};
        std::string file = {};
    };
    const std::vector<BuildRow> rows{
        {{"-f", "./Dockerfile", "."}, nullptr, stage, stage + "/Dockerfile"},
        {{"-f", stage + "/a/D", "--ulimit", "nofile=1", stage + "/a"}, nullptr, stage + "/a", stage + "/a/D"},
        {{"-f", "app/../Dockerfile", "app"}, nullptr, stage + "/app", stage + "/Dockerfile"},
        {{"-f", "--volume=/host:/x/Dockerfile", "--volume=/host:/x"}, "would become an option of podman"},
        {{"-f", "x", "--device=/dev/kvm", "."}, "would become an option of podman"},
        {{"-f", "x", "-"}, "would become an option of podman"},
        {{"-f", "https://x/Dockerfile", "https://x"}, "is not a directory of the repository"},
        {{"-f", "x", "git@github.com:a/b"}, "is not a directory of the repository"},
        {{"-f", "x", "github.com/a/b"}, "is not a directory of the repository"},
        {{"-f", "x", "../../../../.."}, "is not a directory of the repository"},
        {{"-f", "x.in", "."}, "ends with \".in\""},
        {{"-f", "x", "--build-arg", "HOME", "."}, "\"HOME\" has no value"},
        {{"-f", "x", "--target", "a b", "."}, "is not a name"},
        {{"."}, "is not a file of the repository"},
        {{"-f", "x", "app", "."}, "would become an option of podman"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.arguments.back());
        auto calls = with_default_network(web_run({}, {}, {"demo_web"}));
        calls.push_back(joined({{"build", "-t", "demo_web"}, row.arguments}));
        calls.push_back(calls.back()); // replicas
        const auto [plan, violations] = parse_plan(calls, "demo", web_model());
        if (row.problem == nullptr) {
            CHECK(all_of(violations) == "");
            REQUIRE(plan.builds.size() == 1);
            CHECK(plan.builds[0].context == row.context);
            CHECK(plan.builds[0].file == row.file);
        } else {
            REQUIRE(violations.size() == 1);
            CHECK(violations[0].service == "web");
            CHECK(violations[0].setting == "build");
            CAPTURE(violations[0].problem);
            CHECK(violations[0].problem.find(row.problem) != std::string::npos);
        }
    }
}

TEST_CASE("calls that no plan needs") {
    struct CallRow {
        Argv call;
        const char* setting;
    };
    for (const auto& row : std::vector<CallRow>{
             {{"pod", "create", "--name=p"}, "pod"},
             {{"start", "x"}, "podman-compose"},
             {{"create", "--name=x", "alpine"}, "podman-compose"},
             {{"system", "reset", "--force"}, "podman-compose"},
             {{"inspect", "x"}, "podman-compose"},
             {{"volume", "inspect", "--all"}, nullptr},
             {{"volume", "rm", "x"}, "podman-compose"},
             {{"--version", "x"}, "podman-compose"},
             {{"--root=/x", "run"}, "podman-compose"},
             {{}, "podman-compose"},
             {{""}, "podman-compose"},
             {{"volume", "create", "--opt", "device=/etc", "demo_x"}, "volumes"},
             {{"volume", "create", "--driver", "x", "demo_x"}, "volumes"},
             {{"volume", "create", "--label", "pgod.a=b", "demo_x"}, "labels"},
             {{"volume", "create", "a", "b"}, "volumes"},
             {{"network", "create", "--driver", "macvlan", "demo_x"}, "networks"},
             {{"network", "create", "--label", "io.podman.compose.project=x", "demo_x"}, "labels"},
         }) {
        const auto violations = parse_plan(std::vector<Argv>{row.call}, "demo", {}).violations;
        CAPTURE(row.call.size());
        REQUIRE(violations.size() == (row.setting == nullptr ? 0U : 1U));
        if (row.setting != nullptr)
            CHECK(violations[0].setting == row.setting);
    }
}

TEST_CASE("bounds") {
    std::vector<Argv> many(max_containers + 1, web_run({}));
    CHECK(parse_plan(many, "demo", {}).violations.at(0).problem == "more than 100 containers");
    CHECK(parse_plan(many, "demo", {}).plan.containers.empty());
    CHECK(
        parse_plan(std::vector<Argv>(max_plan_calls + 1, {"--version", ""}), "demo", {}).violations.size() ==
        1);
    CHECK(parse_web(web_run({"-e", "A=" + std::string(max_call_bytes, 'x')}))
              .violations.at(0)
              .problem.find("longer than 256 KiB") != std::string::npos);
    Argv options;
    for (std::size_t i = 0; i < max_container_options; ++i) {
        options.push_back("-e");
        options.push_back("A=b");
    }
    CHECK(parse_web(web_run(options)).violations.at(0).problem == "more than 1000 options");
    Argv bad;
    for (int i = 0; i < 30; ++i) {
        bad.push_back("--cap-add");
        bad.push_back("X" + std::to_string(i));
    }
    CHECK(parse_web(web_run(bad)).violations.size() == 20);
}

TEST_CASE("two recordings of the same commit are equal, also from two stages") {
    const auto first = parse_plan(recorded_calls(), "demo", recorded_model()).plan;
    auto calls = recorded_calls();
    for (auto& call : calls) {
        for (auto& argument : call) {
            if (argument == "demo_front,demo_default")
                argument = "demo_default,demo_front";
            if (argument == stage + "/html:/html:z,ro")
                argument = stage + "/html:/html:ro,z";
        }
    }
    CHECK(parse_plan(calls, "demo", recorded_model()).plan == first);
    for (auto& call : calls)
        for (auto& argument : call)
            if (const auto at = argument.find(stage); at != std::string::npos)
                argument.replace(at, stage.size(), "/srv/stage/2");
    const auto second = parse_plan(calls, "demo", recorded_model()).plan;
    CHECK_FALSE(second == first);
    CHECK(moved(second, "/srv/stage/2", "/work") == moved(first, stage, "/work"));
    calls.back()[1] = "--name=demo_web_2";
    CHECK_FALSE(moved(parse_plan(calls, "demo", recorded_model()).plan, "/srv/stage/2", "/work") ==
                moved(first, stage, "/work"));
}

TEST_CASE("what the worker asks of a plan") {
    const auto plan =
        moved(parse_plan(recorded_calls(), "demo", recorded_model()).plan, stage, "/home/u/tree");
    CHECK(plan.builds.at(0).context == "/home/u/tree/app");
    std::vector<Mount> binds;
    for (const auto& option : plan.containers.at(1).options)
        if (auto bind = bind_of(option))
            binds.push_back(*bind);
    REQUIRE(binds.size() == 2);
    CHECK(binds[0] == Mount{MountKind::bind, "/home/u/tree/html", "/html", {"ro", "z"}});
    CHECK(binds[1].source == "/home/u/tree/raw");
    CHECK(volume_option(binds[0]) == PlanOption{"--volume", "/home/u/tree/html:/html:ro,z"});
    const auto ports = published_ports(plan.containers[1]);
    REQUIRE(ports.size() == 4);
    CHECK(ports[0] == PublishedPort{"", 8080, 8080, 80, 80, "tcp"});
    CHECK(ports[1] == PublishedPort{"127.0.0.1", 8443, 8443, 443, 443, "udp"});
    CHECK(ports[2] == PublishedPort{"::1", 9000, 9002, 90, 92, "tcp"});
    CHECK(ports[3] == PublishedPort{"10.0.0.1", 7000, 7000, 70, 70, "sctp"});
}

TEST_CASE("a violation is one sentence, and drives no terminal") {
    CHECK(describe({"web", "ports", "host port 80 is outside 5005-5010", "ports = [\"80/0\"]"}) ==
          "service \"web\": ports: host port 80 is outside 5005-5010; the admin can grant it with "
          "ports = [\"80/0\"]");
    CHECK(describe({"", "pod", "is not allowed", ""}) == "pod: is not allowed");
    const auto violations = parse_web(web_run({"--cap-add", "\x1b[2J" + std::string(200, 'x')})).violations;
    const auto sentence = describe(violations.at(0));
    CHECK(sentence.find('\x1b') == std::string::npos);
    CHECK(sentence.size() < 160);
    for (const auto& violation : parse_web(web_run({"-e", "=SECRET", "-e", "A B=SECRET"})).violations)
        CHECK(describe(violation).find("SECRET") == std::string::npos);
}

TEST_CASE("no mutation of a recording ends the reader, or is judged and then differs from itself") {
    std::mt19937 random(20240229); // any fixed seed: a failure must repeat
    const auto below = [&random](std::size_t limit) {
        return std::size_t{random()} % limit;
    };
    const std::vector<std::string> pieces{
        "--",      "-",          "",      "--privileged", "=",   "--volume=", "-v",    ":", ",",
        "-p",      "80:",        "[",     "]:",           "/",   "..",        "\xff",  "@", "sha256:",
        "--mount", "type=bind,", "--net", "build",        "run", "volume",    "create"};
    for (int round = 0; round < 2000; ++round) {
        auto calls = recorded_calls();
        for (std::size_t change = 0; change <= below(4); ++change) {
            auto& call = calls[below(calls.size())];
            if (call.empty())
                continue;
            const auto at = below(call.size());
            const auto& piece = pieces[below(pieces.size())];
            switch (below(5)) {
            case 0:
                call[at] = piece;
                break;
            case 1:
                call[at].insert(below(call[at].size() + 1), piece);
                break;
            case 2:
                call.erase(call.begin() + static_cast<std::ptrdiff_t>(at));
                break;
            case 3:
                call.insert(call.begin() + static_cast<std::ptrdiff_t>(at), piece);
                break;
            default:
                call[at].resize(below(call[at].size() + 1));
                break;
            }
        }
        const auto [plan, violations] = parse_plan(calls, "demo", recorded_model());
        const auto judged = judge(plan, no_grants());
        if (!violations.empty() || !judged.empty())
            continue;
        for (const auto& container : plan.containers) {
            CHECK(!container.image.starts_with('-'));
            for (const auto& option : container.options) {
                CHECK(option.flag.starts_with("--"));
                CHECK(option.flag != "--privileged");
                if (const auto bind = bind_of(option))
                    CHECK(bind->source.starts_with(stage));
            }
        }
    }
}
