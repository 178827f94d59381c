// For the tests of this folder: the canonical plan of what stands on standard input, as a record has it.
//
//   plan_of answer FILE PROJECT   a translator's answer; violations go to standard error
//
//   plan_of record                a record, also an older pgod's
//
// And with nothing on standard input, one line on standard error where it fails:
//
//   plan_of self-test             the self-test of the podman-compose that Python finds
//
//   plan_of translate STAGE       translate() of STAGE/compose.yaml by that one; "CODE: MESSAGE"
#include "compose/record.hpp"
#include "compose/self_test.hpp"
#include "compose/translation.hpp"
#include "os/users.hpp"

#include <iostream>
#include <iterator>
#include <string>
#include <vector>

using namespace pgod;

namespace {

int say(const Error& error) {
    std::cerr << error.message << '\n';
    return 1;
}

int answer(const std::string& text, const std::string& file, const std::string& project) {
    auto given = compose::parse_answer(text);
    if (!given.translation)
        return say(given.translation.error());
    auto [plan, violations] =
        parse_plan(given.translation->calls, project, std::move(given.translation->model));
    auto reasons = std::move(given.translation->reasons);
    reasons.insert(reasons.end(), violations.begin(), violations.end());
    locate(reasons, given.translation->places);
    for (const auto& line : lines_of(reasons))
        std::cerr << line << '\n';
    if (!given.translation->is_complete)
        return 1;
    plan.files = std::move(given.translation->files);
    compose::Record record;
    record.compose_file = file;
    record.plan = std::move(plan);
    std::cout << compose::to_json(record);
    return reasons.empty() ? 0 : 2;
}

int translate(const std::string& stage) {
    const auto result =
        compose::translate({stage, "compose.yaml", "c", os::user_environment(os::current_user()), {}});
    if (result && result->is_complete)
        return 0;
    if (result) {
        std::cerr << "permanent: " << summary_of(result->reasons) << '\n';
        return 1;
    }
    std::cerr << name_of(result.error().code) << ": " << result.error().message << '\n';
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments == std::vector<std::string>{"self-test"}) {
        const auto result = compose::self_test(os::user_environment(os::current_user()));
        return result ? 0 : say(result.error());
    }
    if (arguments.size() == 2 && arguments[0] == "translate")
        return translate(arguments[1]);
    const std::string text(std::istreambuf_iterator<char>(std::cin), {});
    if (arguments.size() == 3 && arguments[0] == "answer")
        return answer(text, arguments[1], arguments[2]);
    const auto record = compose::record_from_json(text);
    if (!record)
        return say(record.error());
    std::cout << compose::to_json(*record);
    return 0;
}
