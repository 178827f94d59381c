// Which flags of `podman run` a plan may hold, and what becomes of their values.
#include "core/plan.hpp"
#include "recorded_plan.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace pgod;
using namespace pgod::test;

namespace {

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

TEST_CASE("flags that are kept, in their canonical form") {
    const std::vector<Row> rows{
        {"label", {"--label", "a=b=c"}, {"--label=a=b=c"}},
        {"env with anything in it", {"-e", "A=--privileged\n,\"x"}, {"--env=A=--privileged\n,\"x"}},
        {"empty env", {"-e", "A="}, {"--env=A="}},
        {"cap_drop", {"--cap-drop", "NET_RAW"}, {"--cap-drop=NET_RAW"}},
        {"env_file", {"--env-file", stage + "/a b.env"}, {"--env-file=" + stage + "/a b.env"}},
        {"a file in memory",
         {"--in-memory", "/run/secrets/a:33:0:0400:x:y\n"},
         {"--in-memory=/run/secrets/a:33:0:0400:x:y\n"}},
        {"a file in memory of the image's user", {"--in-memory", "/a:::0444:"}, {"--in-memory=/a:::0444:"}},
        {"tmpfs",
         {"--tmpfs", "/run:rw,size=64m,mode=1777,noexec"},
         {"--tmpfs=/run:rw,size=64m,mode=1777,noexec"}},
        {"named volume, long spelling",
         {"--volume", "demo_d:/d:nocopy,ro"},
         {"--volume=demo_d:/d:nocopy,ro"}},
        {"anonymous volume", {"-v", "/var/lib/x"}, {"--volume=/var/lib/x"}},
        {"bind options in random order", {"-v", "/a:/b:rw,Z,rprivate"}, {"--volume=/a:/b:Z,rprivate"}},
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
        {"fractional memory", {"-m", "1.5g"}, {"--memory=1536m"}},
        {"group_add", {"--group-add", "44", "--group-add", "video"}, {"--group-add=44", "--group-add=video"}},
        {"stop_grace_period", {"--stop-timeout", "60"}, {"--stop-timeout=60"}},
        {"dns", {"--dns", "192.0.2.1", "--dns", "2001:db8::1"}, {"--dns=192.0.2.1", "--dns=2001:db8::1"}},
        {"dns_opt", {"--dns-option", "ndots:2"}, {"--dns-option=ndots:2"}},
        {"dns_search",
         {"--dns-search", "a.example", "--dns-search", "."},
         {"--dns-search=a.example", "--dns-search=."}},
        {"mac_address", {"--mac-address", "02:42:AC:11:65:43"}, {"--mac-address=02:42:AC:11:65:43"}},
        {"pids_limit", {"--pids-limit", "-1"}, {"--pids-limit=-1"}},
        {"memswap_limit", {"--memory-swap", "1024m"}, {"--memory-swap=1g"}},
        {"cpu_quota",
         {"--cpu-period", "100000", "--cpu-quota", "-1"},
         {"--cpu-period=100000", "--cpu-quota=-1"}},
        {"restart", {"--restart", "no"}, {"--restart=no"}},
        {"signal", {"--stop-signal", "SIGINT"}, {"--stop-signal=SIGINT"}},
        {"signal in lower case", {"--stop-signal", "winch"}, {"--stop-signal=winch"}},
        {"signal's number", {"--stop-signal", "64"}, {"--stop-signal=64"}},
        {"real-time signal", {"--stop-signal", "SIGRTMIN+15"}, {"--stop-signal=SIGRTMIN+15"}},
        {"the last real-time signal but 14", {"--stop-signal", "RTMAX-14"}, {"--stop-signal=RTMAX-14"}},
        {"alias of any first character",
         {"--network-alias", "_x", "--network-alias", "-x"},
         {"--network-alias=-x", "--network-alias=_x"}},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        const auto [plan, violations] = parse_web(web_run(row.given));
        CHECK(sentences(violations) == "");
        REQUIRE(plan.containers.size() == 1);
        auto arguments = arguments_of(plan.containers[0]);
        std::erase(arguments, "--network=demo_default");
        std::erase(arguments, "--network-alias=web");
        CHECK(arguments == row.kept);
    }
}

TEST_CASE("flags and values that are refused, under the setting they come from") {
    const std::vector<RefusedRow> rows{
        {"privileged", {"--privileged"}, "privileged", "is not allowed"},
        {"stop_grace_period", {"--stop-timeout", "-1"}, "stop_grace_period", "is not a number of seconds"},
        {"a long stop_grace_period",
         {"--stop-timeout", "601"},
         "stop_grace_period",
         "is not a number of seconds"},
        {"dns", {"--dns", "none"}, "dns", "is not an IP address"},
        {"dns_opt", {"--dns-option", "a b"}, "dns_opt", "is not an option"},
        {"dns_search", {"--dns-search", "a,b"}, "dns_search", "is not a domain"},
        {"mac_address", {"--mac-address", "02:42:ac:11:65:4g"}, "mac_address", "is not such as"},
        {"pids_limit", {"--pids-limit", "-2"}, "pids_limit", "is not a number"},
        {"memswap_limit", {"--memory-swap", "x"}, "memswap_limit", "is not a size"},
        {"cpu_period", {"--cpu-period", "-1"}, "cpu_period", "is not a number"},
        {"cpu_quota", {"--cpu-quota", "1.5"}, "cpu_quota", "is not a number"},
        {"privileged with a value", {"--privileged=true"}, "image", "would become an option"},
        {"cap_add", {"--cap-add", "net admin"}, "cap_add", "is not the name of a capability"},
        {"devices", {"--device", "/etc"}, "devices", "is not a device beneath /dev"},
        {"devices: CDI", {"--device", "nvidia.com/gpu=all"}, "devices", "is not a device beneath /dev"},
        {"devices: everybody's", {"--device", "/dev/shm/x"}, "devices", "is not a device beneath /dev"},
        {"devices: mode", {"--device", "/dev/fuse:/dev/fuse:rwx"}, "devices", "is not a device"},
        {"sysctls: no value", {"--sysctl", "net.core.somaxconn"}, "sysctls", "is not NAME=VALUE"},
        {"sysctls: CSV", {"--sysctl", "net.a=1,kernel.x=2"}, "sysctls", "is not NAME=VALUE"},
        {"pod", {"--pod=other"}, "pod", "not allowed"},
        {"annotations", {"--annotation", "run.oci.hooks=x"}, "annotations", "not allowed"},
        {"secrets", {"--secret", "s"}, "secrets", "not allowed"},
        {"pid", {"--pid", "host"}, "pid", "not allowed"},
        {"ipc", {"--ipc=host"}, "ipc", "is not none, private or shareable"},
        {"oom_score_adj", {"--oom-score-adj", "-1"}, "oom_score_adj", "is not a number from 0"},
        {"oom_score_adj: too much", {"--oom-score-adj", "1001"}, "oom_score_adj", "is not a number from 0"},
        {"uts", {"--uts", "host"}, "uts", "not allowed"},
        {"userns_mode", {"--userns", "host"}, "userns_mode", "not allowed"},
        {"volumes_from", {"--volumes-from", "x"}, "volumes_from", "not allowed"},
        {"group_add", {"--group-add", "keep-groups"}, "group_add", "is not a group of the container"},
        {"unknown", {"--cidfile", "/home/u/x"}, "image", "would become an option"},
        {"publishall", {"-P"}, "publishall", "not allowed"},
        {"init-path", {"--init-path", "/bin/x"}, "init-path", "not allowed"},
        {"network_mode host", {"--network", "host"}, "network_mode", "\"host\" and \"networks\" exclude"},
        {"network_mode none", {"--network", "none"}, "network_mode", "\"none\" and \"networks\" exclude"},
        {"network_mode container:", {"--network", "container:x"}, "network_mode", "exclude each other"},
        {"network_mode ns:", {"--network", "ns:/proc/1/ns/net"}, "network_mode", "not allowed"},
        {"network_mode slirp4netns:",
         {"--network", "slirp4netns:allow_host_loopback=true"},
         "network_mode",
         "not allowed"},
        {"network with options", {"--net", "demo_default:alias=x"}, "network_mode", "not allowed"},
        {"no network", {"--net", ""}, "networks", "is not the name of a network"},
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
        {"wildcard variable", {"-e", "*"}, "environment", "copies variables of its own"},
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
        {"a secret's target", {"--in-memory", "run/a:0:0:0400:x"}, "secrets", "is not a file of a secret"},
        {"a secret's owner", {"--in-memory", "/a:root:0:0400:x"}, "secrets", "is not a file of a secret"},
        {"half a secret's owner", {"--in-memory", "/a:7::0400:x"}, "secrets", "is not a file of a secret"},
        {"a secret's mode", {"--in-memory", "/a:0:0:4755:x"}, "secrets", "is not a file of a secret"},
        {"a secret without a mode", {"--in-memory", "/a:0:0"}, "secrets", "is not a file of a secret"},
        {"a secret where a volume is",
         {"-v", "demo_d:/a/b", "--in-memory", "/a/b:0:0:0400:x"},
         "volumes",
         "two mounts have the target"},
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
        {"stop_signal that nobody knows", {"--stop-signal", "FOO"}, "stop_signal", "is not a signal"},
        {"stop_signal 0", {"--stop-signal", "0"}, "stop_signal", "is not a signal"},
        {"stop_signal 65", {"--stop-signal", "65"}, "stop_signal", "is not a signal"},
        {"stop_signal SIG", {"--stop-signal", "SIG"}, "stop_signal", "is not a signal"},
        {"stop_signal RTMIN+16", {"--stop-signal", "RTMIN+16"}, "stop_signal", "is not a signal"},
        {"stop_signal RTMAX-15", {"--stop-signal", "SIGRTMAX-15"}, "stop_signal", "is not a signal"},
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
        CHECK(sentences(parse_web(web_run({}, {}, {image})).violations) == "");
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
