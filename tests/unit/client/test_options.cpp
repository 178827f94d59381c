#include "client/options.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::client;
using Words = std::vector<std::string>;

namespace {

std::variant<Options, EarlyEnd> parsed(const Words& words) {
    std::vector<const char*> argv{"pgoctl"};
    for (const std::string& word : words)
        argv.push_back(word.c_str());
    return parse_options(static_cast<int>(argv.size()), argv.data());
}

Options options_of(const Words& words) {
    auto result = parsed(words);
    const auto* early = std::get_if<EarlyEnd>(&result);
    REQUIRE_MESSAGE(early == nullptr, (early != nullptr ? early->text : ""));
    return std::get<Options>(result);
}

} // namespace

TEST_CASE("the target ends pgoctl's own options") {
    struct Row {
        const char* name;
        Words words;
        Words args;
    };
    const Row rows[] = {
        {"none", {"h:s//ps"}, {}},
        {"plain", {"h:s//ps", "a", "b"}, {"a", "b"}},
        {"options of the operation",
         {"h:s//logs", "-f", "--tail", "5", "-p", "1"},
         {"-f", "--tail", "5", "-p", "1"}},
        {"our own names after the target",
         {"h:s//ps", "--json", "-i", "x", "--help"},
         {"--json", "-i", "x", "--help"}},
        {"after --", {"--", "h:s//logs", "-f"}, {"-f"}},
        {"-- of the operation", {"h:s//logs", "--", "-f"}, {"--", "-f"}},
        {"both", {"-v", "--", "h:s//logs", "--", "-f"}, {"--", "-f"}},
        {"empty and odd words", {"h:s//exec", "", "a b", "--x=y", "-"}, {"", "a b", "--x=y", "-"}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Options options = options_of(row.words);
        CHECK(options.target.starts_with("h:s//"));
        CHECK(options.args == row.args);
        CHECK_FALSE(options.port);
        CHECK(options.identities.empty());
    }
}

TEST_CASE("options") {
    const Options options =
        options_of({"-i", "a", "-p", "2", "--json", "--accept-new", "--host-key", "SHA256:x", "--known-hosts",
                    "kh", "--timeout", "3", "-v", "-i", "b", "-p", "4", "h:s//ps"});
    CHECK(options.identities == Words{"a", "b"});
    CHECK(options.port == 4); // the last one: an alias can be overridden
    CHECK(options.json);
    CHECK(options.accept_new);
    CHECK(options.verbose);
    CHECK(options.host_key == "SHA256:x");
    CHECK(options.known_hosts == "kh");
    CHECK(options.timeout.count() == 3);
    CHECK(options.target == "h:s//ps");
    CHECK(options_of({"-i", "-----BEGIN", "OPENSSH", "h:s//ps"}).identities == Words{"-----BEGIN"});
    CHECK(options_of({"--identity=a", "--port=7", "h:s//ps"}).port == 7);
}

TEST_CASE("texts and mistakes") {
    struct Row {
        Words words;
        int status;
        std::string_view says;
    };
    const Row rows[] = {
        {{}, 64, "no target given"},
        {{"--"}, 64, "no target given"},
        {{"-p"}, 64, "--port"},
        {{"-p", "0", "h:s//ps"}, 64, "--port"},
        {{"-p", "65536", "h:s//ps"}, 64, "--port"},
        {{"-p", "x", "h:s//ps"}, 64, "--port"},
        {{"--timeout", "0", "h:s//ps"}, 64, "--timeout"},
        {{"--frobnicate", "h:s//ps"}, 64, "--frobnicate"},
        {{"-h"}, 0, "Operations:"},
        {{"--help"}, 0, ":SERVICE//OPERATION"},
        {{"--version"}, 0, "pgoctl " PGOD_VERSION "\n"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.says);
        const auto result = parsed(row.words);
        const auto* early = std::get_if<EarlyEnd>(&result);
        REQUIRE(early != nullptr);
        CHECK(early->status == row.status);
        CHECK_MESSAGE(early->text.find(row.says) != std::string::npos, early->text);
    }
}

TEST_CASE("the request is read back by the server as it was meant") {
    const Words args{"-f", "a b", "it's", "$x", "", "\n", "--", "--json"};
    const auto line = request_line("svc//logs", false, args);
    REQUIRE(line);
    auto words = split_words(*line);
    REQUIRE(words);
    CHECK((*words)[0] == "svc//logs");
    CHECK(Words(words->begin() + 1, words->end()) == args);
    CHECK(*request_line("//list", true, {}) == "//list --json");
    CHECK(parse_command(*request_line("svc//ps", true, {}))->json);
    CHECK_FALSE(request_line("svc//logs", false, {std::string(max_command_bytes, 'a')}));
}
