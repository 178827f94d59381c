#include "core/command.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pgod;
using Words = std::vector<std::string>;

TEST_CASE("split_words splits as sh does") {
    struct Row {
        const char* name;
        std::string_view line;
        Words words;
    };
    const Row rows[] = {
        {"nothing", "", {}},
        {"blanks", " \t\n ", {}},
        {"plain", "a b  c", {"a", "b", "c"}},
        {"single quotes keep everything", R"(a 'b "c\ $d' e)", {"a", R"(b "c\ $d)", "e"}},
        {"double quotes keep blanks", R"("a b" c)", {"a b", "c"}},
        {"double quotes: backslash before $ ` \" \\", R"("\$\`\"\\\n")", {R"($`"\\n)"}},
        {"backslash outside quotes", R"(a\ b \'c)", {"a b", "'c"}},
        {"joined pieces are one word", R"(a'b'"c"\d)", {"abcd"}},
        {"an empty word", "'' \"\"", {"", ""}},
        {"a joined line", "a\\\nb", {"ab"}},
        {"nothing is expanded", "$HOME `id` *;|&", {"$HOME", "`id`", "*;|&"}},
        {"UTF-8", "'Käse' ✓", {"Käse", "✓"}},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        auto words = split_words(row.line);
        REQUIRE(words);
        CHECK(*words == row.words);
    }
    for (std::string_view broken : {"'a", "\"a", "a\\", "a 'b\" c"}) {
        CAPTURE(broken);
        auto words = split_words(broken);
        REQUIRE_FALSE(words);
        CHECK(words.error().code == Code::invalid);
    }
}

TEST_CASE("split_words bounds the number of words") {
    std::string line;
    for (std::size_t i = 0; i < max_command_words; ++i)
        line += "a ";
    CHECK(split_words(line));
    CHECK_FALSE(split_words(line + "a"));
}

TEST_CASE("quoted_word is undone by split_words") {
    std::string every_byte;
    for (int byte = 1; byte < 256; ++byte)
        every_byte += static_cast<char>(byte);
    for (const std::string& word :
         Words{"", "a", "svc//ps", "a b", "it's", "'", "\\", "\"$x`y\"", "--", "a\nb", every_byte}) {
        CAPTURE(word);
        auto words = split_words(quoted_word(word));
        REQUIRE(words);
        CHECK(*words == Words{word});
    }
    CHECK(quoted_word("svc//ps") == "svc//ps");
    CHECK(quoted_word("$a") == "'$a'");
}

TEST_CASE("is_service_name") {
    for (std::string_view good : {"a", "pgo", "0a", "a-b-", "9"})
        CHECK_MESSAGE(is_service_name(good), good);
    CHECK(is_service_name(std::string(63, 'a')));
    CHECK_FALSE(is_service_name(std::string(64, 'a')));
    for (std::string_view bad : {"", "-a", "A", "a_b", "a.b", "a b", "ä", "a/b", "a\n"})
        CHECK_FALSE_MESSAGE(is_service_name(bad), bad);
}

TEST_CASE("parse_command takes well-formed requests") {
    struct Row {
        std::string_view line;
        std::string_view service;
        Op op;
        Words args;
        bool json;
    };
    const Row rows[] = {
        {"pgo//ping", "pgo", Op::ping, {}, false},
        {"  pgo//ps  ", "pgo", Op::ps, {}, false},
        {"'pgo//ps'", "pgo", Op::ps, {}, false},
        {"//list", "", Op::list, {}, false},
        {"//list --json", "", Op::list, {}, true},
        {"pgo//list", "pgo", Op::list, {}, false},
        {"pgo//ps --json", "pgo", Op::ps, {}, true},
        {"pgo//status --", "pgo", Op::status, {}, false},
        {"pgo//logs -f --tail 5 web", "pgo", Op::logs, {"-f", "--tail", "5", "web"}, false},
        {"pgo//logs -- --json", "pgo", Op::logs, {"--", "--json"}, false},
        {"pgo//restart web 'a b'", "pgo", Op::restart, {"web", "a b"}, false},
        {"pgo//logs ''", "pgo", Op::logs, {""}, false},
        {"//whoami --json", "", Op::whoami, {}, true},
        {"pgo//exec web ls -l -- --json", "pgo", Op::exec, {"web", "ls", "-l", "--", "--json"}, false},
        {"pgo//exec -t web sh -c 'a b'", "pgo", Op::exec, {"-t", "web", "sh", "-c", "a b"}, false},
    };
    for (const auto& row : rows) {
        CAPTURE(row.line);
        auto command = parse_command(row.line);
        REQUIRE_MESSAGE(command, (command ? "" : command.error().message));
        CHECK(command->service == row.service);
        CHECK(command->op == row.op);
        CHECK(command->args == row.args);
        CHECK(command->json == row.json);
    }
}

TEST_CASE("parse_command refuses with one sentence that helps") {
    using namespace std::string_view_literals;
    struct Row {
        std::string_view line;
        std::string_view says;
    };
    const Row rows[] = {
        {"", "no command given: write SERVICE//OPERATION"},
        {"pgo", "\"pgo\" names no operation"},
        {"pgo/ps", "write SERVICE//OPERATION"},
        {"pgo//", "names no operation after //"},
        {"//ps", "names no service"},
        {"Pgo//ps", "\"Pgo\" is not a service name"},
        {"../a//ps", "is not a service name"},
        {"pgo//ps/x", "is not an operation"},
        {"pgo//explode", "unknown operation \"explode\": the operations are ping, list, status"},
        {"pgo//PS", "unknown operation \"PS\""},
        {"'pgo//e\033[2J'", "\\x1b[2J"},
        {"'p\ngo'//ps", "p\\x0ago"},
        {"pgo//ping\0x"sv, "NUL"},
        {"pgo//ping --json", "\"ping\" has no JSON to give"},
        {"pgo//logs web --json", "\"logs\" has no JSON to give"},
        {"pgo//up --json", "\"up\" has no JSON to give"},
        {"pgo//down now", "\"down\" takes no arguments, and \"now\" was given"},
        {"pgo//down -- now", "takes no arguments"},
        {"pgo//down --force", "\"down\" does not know the option \"--force\""},
        {"pgo//logs 'a", "unclosed single quote"},
        {"pgo//exec", "exec needs a compose service and a command"},
        {"pgo//exec web", "write exec [-t] COMPOSE_SERVICE COMMAND"},
        {"pgo//exec --json web ls", "does not know the option \"--json\""},
    };
    for (const auto& row : rows) {
        CAPTURE(row.line);
        auto command = parse_command(row.line);
        REQUIRE_FALSE(command);
        CHECK(command.error().code == Code::invalid);
        CHECK_MESSAGE(command.error().message.find(row.says) != std::string::npos, command.error().message);
    }
}

TEST_CASE("parse_command is bounded") {
    CHECK_FALSE(parse_command("pgo//logs " + std::string(max_command_bytes, 'a')));
    std::string line = "pgo//logs";
    for (std::size_t i = 0; i < operation_of(Op::logs).max_args; ++i)
        line += " a";
    CHECK(parse_command(line));
    auto over = parse_command(line + " a");
    REQUIRE_FALSE(over);
    CHECK(over.error().message.find("at most 64 arguments") != std::string::npos);
}

TEST_CASE("parse_target") {
    struct Row {
        std::string_view text;
        std::string_view host;
        std::string_view command;
    };
    const Row good[] = {
        {"localhost:demo//ping", "localhost", "demo//ping"},
        {"a.example.org:pgo//up", "a.example.org", "pgo//up"},
        {"127.0.0.1:pgo//ps", "127.0.0.1", "pgo//ps"},
        {"[::1]:svc//ps", "::1", "svc//ps"},
        {"[fe80::1%eth0]:svc//ps", "fe80::1%eth0", "svc//ps"},
        {"host://list", "host", "//list"},
        {":svc//ps", "", "svc//ps"},
        {"://list", "", "//list"},
        {"[::1]://list", "::1", "//list"},
        {"host:svc//brandnew", "host", "svc//brandnew"}, // the server says which operations it has
    };
    for (const auto& row : good) {
        CAPTURE(row.text);
        auto target = parse_target(row.text);
        REQUIRE_MESSAGE(target, (target ? "" : target.error().message));
        CHECK(target->host == row.host);
        CHECK(target->command == row.command);
    }
    const std::pair<std::string_view, std::string_view> bad[] = {
        {"", "write HOST:SERVICE//OPERATION"},
        {"host", "write HOST:SERVICE//OPERATION"},
        {"svc//ps", "write HOST:SERVICE//OPERATION"},
        {":svc", "names no operation"},
        {"host:svc", "names no operation"},
        {"host:svc/ps", "names no operation"},
        {"host:svc//", "names no operation"},
        {"host://ps", "names no service"},
        {"host:Svc//ps", "not a service name"},
        {"::1:svc//ps", "IPv6"},
        {"host:2222:svc//ps", "-p"},
        {"[::1:svc//ps", "closing bracket"},
        {"[::1]svc//ps", "not a target"},
        {"[]:svc//ps", "not a host name"},
        {"me@host:svc//ps", "leave it out"},
        {"-oProxy:svc//ps", "not a host name"},
        {"ho\033st:svc//ps", "ho\\x1bst"},
    };
    for (const auto& [text, says] : bad) {
        CAPTURE(text);
        auto target = parse_target(text);
        REQUIRE_FALSE(target);
        CHECK(target.error().code == Code::invalid);
        CHECK_MESSAGE(target.error().message.find(says) != std::string::npos, target.error().message);
    }
}
