#include "config/config.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pgod;

namespace {

// A good service; what a row adds begins on line 5.
const std::string service = "[[services]]\nname = 'pgo'\nuser = 'miek'\nrepository = 'https://h.example/r'\n";

std::string named(const std::string& name) {
    return "[[services]]\nname = '" + name + "'\nuser = 'u'\nrepository = 'https://h.example/r'\n";
}

struct Row {
    std::string text;
    std::vector<std::string> errors; // without the file's name
};

void check(const std::vector<Row>& rows) {
    for (const auto& [text, expected] : rows) {
        CAPTURE(text);
        const auto report = parse_config(text, "c.toml");
        CHECK_FALSE(report.config.has_value());
        std::string lines; // one text, so that a failure shows it
        for (const auto& error : report.errors)
            lines += error + '\n';
        std::string expected_lines;
        for (const auto& error : expected)
            expected_lines += "c.toml:" + error + '\n';
        CHECK(lines == expected_lines);
    }
}

} // namespace

TEST_CASE("settings of the whole file that are wrong") {
    check({
        {"listen = 2222", {"1:10: listen must be a string in quotes, not an integer"}},
        {"metrics = true", {"1:11: metrics must be a string in quotes, not a boolean"}},
        {"metrics = 'localhost:9178'",
         {"1:11: metrics must be \":PORT\", \"ADDRESS:PORT\" or \"[IPV6]:PORT\", not \"localhost:9178\""}},
        {"listen = '2222'",
         {"1:10: listen must be \":PORT\", \"ADDRESS:PORT\" or \"[IPV6]:PORT\", not \"2222\""}},
        {"\n  interval = 300", {"2:14: interval must be a string in quotes, not an integer"}},
        {"interval = '0s'", {"1:12: interval must be from \"1s\" to \"24h\", not \"0s\""}},
        {"interval = '5'", {"1:12: interval must be a time such as \"90s\", \"5m\" or \"1h30m\", not \"5\""}},
        {"state = 'var/lib'", {"1:9: state must be an absolute path, not \"var/lib\""}},
        {"state = '/'", {"1:9: state must not be the root directory"}},
        {"host_key = '/etc/../key'", {"1:12: host_key must not hold \"..\", as \"/etc/../key\" does"}},
        {"admin_keys = []", {"1:14: admin_keys must be a string in quotes, not an array"}},
        {"revoked_keys = ''", {"1:16: revoked_keys must be an absolute path, not \"\""}},
        {"parallel = '4'", {"1:12: parallel must be a number from 1 to 64, not a string"}},
        {"parallel = 0", {"1:12: parallel must be from 1 to 64, not 0"}},
        {"parallel = -1", {"1:12: parallel must be from 1 to 64, not -1"}},
        {"parallel = 65", {"1:12: parallel must be from 1 to 64, not 65"}},
        {"parallel = 1.5", {"1:12: parallel must be a number from 1 to 64, not a float"}},
        {"paralel = 4", {"1:1: unknown setting \"paralel\" (did you mean \"parallel\"?)"}},
        {"prune = 'no'", {"1:9: prune must be true or false, not a string"}},
        {"lisen = ':1'", {"1:1: unknown setting \"lisen\" (did you mean \"listen\"?)"}},
        {"frobnicate = 1", {"1:1: unknown setting \"frobnicate\""}},
        {"\"a\\u001bb\" = 1", {"1:1: unknown setting \"a\\x1bb\""}},
        {"branch = 'main'", {"1:1: \"branch\" is a setting of a service: put it under a [[services]] line"}},
        {"services = 1", {"1:12: services must be written as [[services]], one for each, not as an integer"}},
        {"[services]\nname = 'a'",
         {"1:1: services must be written as [[services]], one for each, not as a table"}},
        {"services = [ 1 ]", {"1:14: services must hold tables only, not an integer"}},
    });
}

TEST_CASE("settings of a service that are wrong") {
    const std::string ports_shape = "must be \"N/X\", the ports N to N+X (";
    check({
        {"\n[[services]]",
         {"2:1: name is missing: add name = \"pgo\"", "2:1: user is missing: add user = \"miek\"",
          "2:1: repository is missing: add repository = \"https://github.com/miekg/pgo\""}},
        {service + "brnch = 'x'", {"5:1: unknown setting \"brnch\" (did you mean \"branch\"?)"}},
        {service + "listen = ':1'",
         {"5:1: \"listen\" is a setting of the whole file: put it before the first [[services]]"}},
        {service + "name = 'x'",
         {"5:8: not valid TOML: Error while parsing key-value pair: cannot redefine existing "
          "string 'name'"}},
        {service + service, {"6:8: name \"pgo\" is used by another service above"}},
        {service + "branch = 'a..b'", {"5:10: branch must not hold \"..\" or \"@{\", as \"a..b\" does"}},
        {service + "interval = '25h'", {"5:12: interval must be from \"1s\" to \"24h\", not \"25h\""}},
        {service + "compose = '../x.yaml'",
         {"5:11: compose must be a file's path within the repository, such as \"deploy/compose.yaml\", not "
          "\"../x.yaml\""}},
        {service + "compose = []", {"5:11: compose must name a file, or leave it out for the usual names"}},
        {service + "compose = ['a.yaml', '/etc/x', 'a.yaml']",
         {"5:22: compose must be a file's path within the repository, such as \"deploy/compose.yaml\", not "
          "\"/etc/x\"",
          "5:32: compose holds \"a.yaml\" twice"}},
        {service + "compose = 7", {"5:11: compose must be a string in quotes, not an integer"}},
        {service + "profiles = 'debug'",
         {"5:12: profiles must be an array of strings such as [ \"…\" ], not a string"}},
        {service + "profiles = ['a b', '']",
         {"5:13: profiles must hold names of profiles such as \"debug\", or \"*\" for all, not \"a b\"",
          "5:20: profiles must hold names of profiles such as \"debug\", or \"*\" for all, not \"\""}},
        {service + "start_timeout = '0s'", {"5:17: start_timeout must be from \"1s\" to \"1h\", not \"0s\""}},
        {service + "start_timeout = '61m'",
         {"5:17: start_timeout must be from \"1s\" to \"1h\", not \"61m\""}},
        {service + "start_timeout = 60", {"5:17: start_timeout must be a string in quotes, not an integer"}},
        {service + "parallel = 2",
         {"5:1: \"parallel\" is a setting of the whole file: put it before the first [[services]]"}},
        {service + "networks = [ 'a', '-b' ]",
         {"5:19: networks must hold names of podman networks, not \"-b\""}},
        {service + "networks = [ 'container' ]",
         {"5:14: networks must hold names of podman networks, not \"container\""}},
        {service + "networks = [ 'host' ]",
         {"5:14: networks cannot hold \"host\": the host's own network is allow = [\"host-network\"]"}},
        {service + "networks = [ 'a', 'a' ]", {"5:19: networks holds \"a\" twice"}},
        {service + "after = [ 'db' ]", {"5:9: after names \"db\", which is no service"}},
        {service + "after = [ 'DB' ]",
         {"5:11: after must be 1 to 63 of a-z, 0-9 and \"-\", beginning with a letter or a digit, not "
          "\"DB\""}},
        {service + "after = [ 'pgo' ]", {"5:9: after goes round in a circle: pgo after pgo"}},
        {service + "after = [ 'b' ]\n" + named("b") + "after = [ 'c' ]\n" + named("c") + "after = [ 'b' ]\n",
         {"10:9: after goes round in a circle: b after c after b"}},
        {service + "auto = 'yes'", {"5:8: auto must be true or false, not a string"}},
        {service + "ports = '5005/5'",
         {"5:9: ports must be an array of strings such as [ \"…\" ], not a string"}},
        {service + "ports = [ 5005, '1/1' ]", {"5:11: ports must hold strings only, not an integer"}},
        {service + "ports = [ '1/1', '5005' ]",
         {"5:18: ports " + ports_shape + "\"5005/0\" is one port), not \"5005\""}},
        {service + "ports = [\n  '65535/1' ]", {"6:3: ports \"65535/1\" goes beyond port 65535"}},
        {service + "volumes = [ 'da/ta' ]", {"5:13: volumes must be an absolute path, not \"da/ta\""}},
        {service + "volumes = [ '-data' ]",
         {"5:13: volumes must hold absolute directories or names of podman volumes, not \"-data\""}},
        {service + "volumes = [ '/var/lib/pgod/x' ]",
         {"5:13: volumes must not hold \"/var/lib/pgod/x\": it overlaps the state directory /var/lib/pgod"}},
        {service + "volumes = [ '/var' ]",
         {"5:13: volumes must not hold \"/var\": it overlaps the state directory /var/lib/pgod"}},
        {service + "env = [ 'A=1', 'B=2', 'A=3' ]", {"5:23: env sets A twice"}},
        {service + "env = [ 'PATH=/x' ]", {"5:9: env must not set PATH: pgod sets it itself"}},
        {service + "env = { A = '1' }",
         {"5:7: env must be an array of strings such as [ \"…\" ], not a table"}},
        {service + "ops = [ 'red' ]",
         {"5:9: ops may hold \"read\", \"deploy\" and \"exec\", not \"red\" (did you mean \"read\"?)"}},
        {service + "ops = [ 'admin' ]", {"5:9: ops cannot hold \"admin\": a key in admin_keys has it"}},
        {service + "urls = [ ':1' ]",
         {"5:8: urls must be a table of strings such as { \"NAME\" = \":PORT\" }, not an array"}},
        {service + "urls = { 'a.example' = 5007 }", {"5:24: urls must hold strings only, not an integer"}},
        {service + "urls = { a.example = ':5007' }",
         {"5:10: urls must hold strings only, not a table: put a name with dots in quotes"}},
        {service + "urls = { 'a_b' = ':1' }", {"5:18: urls \"a_b\" is not a DNS name"}},
        {service + "urls = { 'a.example' = '5007' }",
         {"5:24: urls of \"a.example\": must be \":PORT\" or \"HOST:PORT\", not \"5007\""}},
        {service + "urls = { 'a.example' = ':1', 'A.example' = ':2' }",
         {"5:24: urls gives \"a.example\" twice, here or in a service above"}},
    });
}

TEST_CASE("words of allow that are wrong") {
    const std::string kinds = "may hold \"cap:…\", \"device:…\", \"host-network\", \"nested-binds\", "
                              "\"security-opt:…\", \"sysctl:…\", not ";
    const std::string cap = "must name a capability such as \"cap:NET_ADMIN\", not ";
    const std::string device = "must name a device beneath /dev such as \"device:/dev/fuse\", not ";
    const std::string option = "must name \"security-opt:\" with \"apparmor=unconfined\", \"label=disable\", "
                               "\"seccomp=unconfined\" or \"unmask=ALL\", not ";
    const std::string sysctl =
        "must name a kernel setting of a container's own (net.*, fs.mqueue.*, kernel.msg*, kernel.sem, "
        "kernel.shm*) such as \"sysctl:net.core.somaxconn\", not ";
    const std::vector<std::pair<std::string, std::string>> rows{
        {"", kinds + "\"\""},
        {"x", kinds + "\"x\""},
        {"privileged", kinds + "\"privileged\""},
        {"capp:CHOWN", kinds + "\"capp:CHOWN\" (did you mean \"cap\"?)"},
        {"host_network", kinds + "\"host_network\" (did you mean \"host-network\"?)"},
        {"host-network:yes", "holds \"host-network:yes\": write \"host-network\" alone"},
        {"cap", cap + "\"cap\""},
        {"cap:ALL", cap + "\"cap:ALL\" (did you mean \"cap:KILL\"?)"},
        {"cap:NET_ADMN", cap + "\"cap:NET_ADMN\" (did you mean \"cap:NET_ADMIN\"?)"},
        {"cap:net admin", cap + "\"cap:net admin\" (did you mean \"cap:NET_ADMIN\"?)"},
        {"device:/dev", device + "\"device:/dev\""},
        {"device:/dev/", device + "\"device:/dev/\""},
        {"device:fuse", device + "\"device:fuse\""},
        {"device:/dev/../etc/shadow", device + "\"device:/dev/../etc/shadow\""},
        {"device:/dev/shm/x", device + "\"device:/dev/shm/x\""},
        {"device:/dev//shm/x", device + "\"device:/dev//shm/x\""},
        {"device:/dev/./shm/x", device + "\"device:/dev/./shm/x\""},
        {"device:/dev/fuse:/dev/x", device + "\"device:/dev/fuse:/dev/x\""},
        {"security-opt:label=disabled",
         option + "\"security-opt:label=disabled\" (did you mean \"security-opt:label=disable\"?)"},
        {"security-opt:seccomp=/x.json", option + "\"security-opt:seccomp=/x.json\""},
        {"sysctl:kernel.core_pattern", sysctl + "\"sysctl:kernel.core_pattern\""},
        {"sysctl:vm.overcommit_memory", sysctl + "\"sysctl:vm.overcommit_memory\""},
        {"sysctl:net.a=1", sysctl + "\"sysctl:net.a=1\""},
    };
    for (const auto& [word, sentence] : rows)
        check({{service + "allow = [ '" + word + "' ]", {"5:11: allow " + sentence}}});
    check({{service + "allow = [ 'cap:CHOWN', 'cap:cap_chown' ]", {"5:24: allow holds \"cap:CHOWN\" twice"}},
           {service + "allow = 'cap:CHOWN'",
            {"5:9: allow must be an array of strings such as [ \"…\" ], not a string"}}});
}

TEST_CASE("a port of urls outside ports") {
    check({
        {service + "ports = [ '5005/5' ]\nurls = { 'a.example' = ':5011' }",
         {"6:24: urls of \"a.example\": port 5011 is outside ports"}},
        {service + "urls = { 'a.example' = 'b.example:5004' }\nports = [ '5005/5' ]",
         {"5:24: urls of \"a.example\": port 5004 is outside ports"}},
        {service + "ports = []\nurls = { 'a.example' = ':5005' }",
         {"6:24: urls of \"a.example\": port 5005 is outside ports"}},
        // A list of ports with an error says nothing about the rest.
        {service + "ports = [ 'x/5' ]\nurls = { 'a.example' = ':5005' }",
         {"5:11: ports must be \"N/X\", the ports N to N+X (\"5005/0\" is one port), not \"x/5\""}},
    });
    for (const auto* port : {"5005", "5010", "1025"}) {
        CAPTURE(port);
        CHECK(parse_config(
                  service + "ports = [ '5005/5', '1025/0' ]\nurls = { 'a.example' = ':" + port + "' }", "c")
                  .config.has_value());
    }
    CHECK(parse_config(service + "urls = { 'a.example' = ':80' }", "c").config.has_value()); // no ports: any
}

TEST_CASE("everything that is wrong is said at once, in the order of the file") {
    check(
        {{"intervall = '5m'\nlisten = 1\nhost_key = 'x'\n" + service +
              "ports = [ 'a', 'b/1' ]\nauto = 1\n[[services]]\nuser = 'root'\nname = 'A'\nrepository = "
              "'-x'\n",
          {"1:1: unknown setting \"intervall\" (did you mean \"interval\"?)",
           "2:10: listen must be a string in quotes, not an integer",
           "3:12: host_key must be an absolute path, not \"x\"",
           "8:11: ports must be \"N/X\", the ports N to N+X (\"5005/0\" is one port), not \"a\"",
           "8:16: ports must be \"N/X\", the ports N to N+X (\"5005/0\" is one port), not \"b/1\"",
           "9:8: auto must be true or false, not an integer",
           "11:8: user must not be root: a service belongs to an ordinary user",
           "12:8: name must be 1 to 63 of a-z, 0-9 and \"-\", beginning with a letter or a digit, not \"A\"",
           "13:14: repository is not accepted: the repository URL must not begin with \"-\""}}});
}

TEST_CASE("a file full of errors ends in a bounded list") {
    std::string text;
    for (int i = 0; i < 500; ++i)
        text += "key" + std::to_string(i) + " = 1\n";
    const auto report = parse_config(text, "c.toml");
    REQUIRE(report.errors.size() == max_config_errors + 1);
    CHECK(report.errors.back() == "c.toml: 400 more are left out");
}

TEST_CASE("text that is not TOML") {
    for (const auto* text : {"x", "a = ", "[[services", "a = \"\xff\"", "a = [1,", "= 1", "\x01", "[=]",
                             "[[=", "[x.=]", "a = 1 é", "[é]", "é = 1", "a = true é"}) {
        CAPTURE(text);
        const auto report = parse_config(text, "c.toml");
        REQUIRE(report.errors.size() == 1);
        CHECK(report.errors[0].starts_with("c.toml:1:"));
        CHECK(report.errors[0].find("not valid TOML: ") != std::string::npos);
        CHECK_FALSE(report.config.has_value());
    }
    CHECK(parse_config(std::string(max_config_bytes + 1, '\n'), "c.toml").errors ==
          std::vector<std::string>{"c.toml:1:1: the file is larger than 1048576 bytes"});
    CHECK(parse_config("\x01", "a\nb").errors[0].starts_with("a\\x0ab:1:1: "));
    CHECK_FALSE(
        parse_config("a = " + std::string(100'000, '['), "c").errors.empty()); // deep nesting ends early
}

TEST_CASE("files of secrets") {
    check({
        {service + "credentials = 'etc/token'",
         {"5:15: credentials must be an absolute path, or the name of a systemd credential such as "
          "\"shop.token\", not \"etc/token\""}},
        {service + "registry_auth = '..'",
         {"5:17: registry_auth must be an absolute path, or the name of a systemd credential such as "
          "\"shop.token\", not \"..\""}},
        {service + "env_file = '/etc/../shadow'",
         {"5:12: env_file must not hold \"..\", as \"/etc/../shadow\" does"}},
        {service + "secrets = { 'a/b' = '/t' }",
         {"5:21: secrets must have names of letters, digits, \"_\", \".\" and \"-\", not \"a/b\""}},
        {service + "secrets = { a = 't/x' }",
         {"5:17: secrets \"a\": must be an absolute path, or the name of a systemd credential such as "
          "\"shop.token\", not \"t/x\""}},
        {service + "secrets = ['a']",
         {"5:11: secrets must be a table of strings such as { NAME = \"/etc/pgod/FILE\" }, not an array"}},
        {"[[services]]\nname = 'a'\nuser = 'b'\nrepository = 'file:///r'\ncredentials = '/t'",
         {"5:15: credentials are for a repository of https:// or ssh://"}},
        {"[[services]]\nname = 'a'\nuser = 'b'\nrepository = 'https://u:p@h/r'\ncredentials = '/t'",
         {"5:15: credentials and a password in repository exclude each other"}},
    });
    const auto report =
        parse_config(service + "credentials = '/etc//pgod/token'\nenv_file = 'shop.env'\n"
                               "secrets = { db-password = '/etc//pgod/db', token = 'shop.token' }",
                     "c");
    REQUIRE(report.config);
    CHECK(report.config->services[0].credentials == "/etc/pgod/token");
    CHECK(report.config->services[0].env_file == "shop.env");
    CHECK(report.config->services[0].secrets ==
          std::map<std::string, std::string>{{"db-password", "/etc/pgod/db"}, {"token", "shop.token"}});
    CHECK(report.warnings.empty());
    CHECK(parse_config("[[services]]\nname = 'a'\nuser = 'b'\nrepository = 'http://h/r'\ncredentials = '/t'",
                       "c")
              .warnings == std::vector<std::string>{
                               "c:4:14: repository sends its password over http, unprotected: use https"});
}

TEST_CASE("an env_file is NAME=value a line, as it stands") {
    const auto good = parse_env_file("# of shop\n\nA=b = c \r\nB=\"q\"\n  \nC=");
    REQUIRE(good);
    CHECK(*good == std::vector<Secret>{Secret("A=b = c "), Secret("B=\"q\""), Secret("C=")});
    struct Row {
        const char* text;
        const char* problem;
    };
    const Row rows[] = {
        {"A=1\nhunter2", "line 2: must be NAME=value, the NAME of letters, digits and \"_\""},
        {"export A=hunter2", "line 1: must be NAME=value, the NAME of letters, digits and \"_\""},
        {"A=1\n\nA=2", "line 3: sets A twice"},
        {"LD_PRELOAD=x", "line 1: must not set LD_PRELOAD: it changes how programs are loaded"},
    };
    for (const auto& [text, problem] : rows) {
        const auto bad = parse_env_file(text);
        REQUIRE_FALSE(bad);
        CHECK(bad.error().message == problem);
    }
}

TEST_CASE("no error repeats a secret") {
    // Every prefix of a file with secrets, and every single character of it replaced.
    const std::string good =
        "[[services]]\nname = 'a'\nuser = 'b'\nrepository = \"https://u:hunter2@h.example/r\"\n"
        "env = [ \"A=hunter2\", \"B=hunter2\" ]\n";
    REQUIRE(parse_config(good, "c").config.has_value());
    const auto check_secret = [](const std::string& text) {
        const auto report = parse_config(text, "c");
        for (const auto& error : report.errors)
            CHECK_MESSAGE(error.find("hunter") == std::string::npos, error);
    };
    for (std::size_t i = 0; i < good.size(); ++i) {
        check_secret(good.substr(0, i));
        for (const char replaced : {'"', '=', '/', ' ', '\n', 'x', '@', ':', '[', '\\'}) {
            auto text = good;
            text[i] = replaced;
            check_secret(text);
        }
    }
    check_secret(service + "env = [ 'hunter2' ]");
    check_secret(service + "env = [ 'hunter2-x=1' ]");
    check_secret(service + "env = 'A=hunter2'");
    check_secret(service + "env = [ 'PATH=hunter2' ]");
}
