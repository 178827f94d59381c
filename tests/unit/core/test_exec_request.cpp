#include "core/exec_request.hpp"

#include <doctest/doctest.h>

#include <climits>

using namespace pgod;
using Words = std::vector<std::string>;

TEST_CASE("exec: options end at the compose service, and the rest is the command's") {
    struct Row {
        Words args;
        bool terminal;
        Words command;
    };
    const Row rows[] = {
        {{"web", "ls"}, false, {"ls"}},
        {{"-t", "web", "vi", "-t"}, true, {"vi", "-t"}},
        {{"-it", "web", "sh"}, true, {"sh"}},
        {{"-i", "--tty", "web", "sh"}, true, {"sh"}},
        {{"-i", "web", "sh", "-c", ""}, false, {"sh", "-c", ""}},
    };
    for (const auto& row : rows) {
        CAPTURE(row.args.front());
        const auto request = parse_exec(row.args);
        REQUIRE(request.has_value());
        CHECK(request->service == "web");
        CHECK(request->terminal == row.terminal);
        CHECK(request->command == row.command);
    }
    for (const Words& args :
         {Words{}, Words{"web"}, Words{"-t"}, Words{"-t", "web"}, Words{"", "ls"}, Words{"web", ""},
          Words{"--privileged", "web", "ls"}, Words{"--", "web", "ls"}, Words{"-\033[2J", "web", "ls"}}) {
        const auto request = parse_exec(args);
        REQUIRE_FALSE(request.has_value());
        CHECK(request.error().code == Code::invalid);
        CHECK(request.error().message.find('\033') == std::string::npos);
    }
}

TEST_CASE("what a client says of its terminal is bounded") {
    CHECK(terminal_size(211, 57) == TerminalSize{211, 57});
    CHECK(terminal_size(0, 0) == TerminalSize{80, 24});
    CHECK(terminal_size(-1, LONG_MAX) == TerminalSize{80, 24});
    CHECK(terminal_size(65535, 65536) == TerminalSize{65535, 24});
    CHECK(terminal_type("xterm-256color") == "xterm-256color");
    CHECK(terminal_type("screen.xterm+x_y") == "screen.xterm+x_y");
    for (const char* bad : {"", "-v", "a b", "a=b", "a\nb", "$(x)", "x\033[2J"})
        CHECK(terminal_type(bad) == "dumb");
    CHECK(terminal_type(std::string(65, 'x')) == "dumb");
}
