// What a client may ask for: the exec request of an SSH channel, pgoctl's target, and the arguments that some
// operations read further.
#include "target.hpp"

#include "compose/logs.hpp"
#include "core/command.hpp"
#include "core/exec_request.hpp"
#include "core/intent_options.hpp"

#include <string>
#include <vector>

namespace {

using namespace pgod;

void check_words(std::string_view line) {
    const auto words = split_words(line);
    if (!words)
        return;
    std::string quoted;
    for (const auto& word : *words)
        quoted += (quoted.empty() ? "" : " ") + quoted_word(word);
    const auto again = split_words(quoted);
    fuzz::require(again && *again == *words);
}

void read_arguments(const std::vector<std::string>& args) {
    const auto exec = parse_exec(args);
    fuzz::require(!exec || !exec->command.empty());
    const auto up = reconcile::parse_up(args);
    fuzz::require(!up || up->commit.size() <= 40);
    const auto suspend = reconcile::parse_suspend(args, reconcile::Time{});
    fuzz::require(!suspend || suspend->reason.size() <= reconcile::max_suspend_reason + 16);
    (void)compose::parse_log_options(args);
    for (const auto& argument : args)
        fuzz::require(!reconcile::parse_commit(argument) || argument.size() <= 40);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto line = fuzz::text_of(data, size);
    check_words(line);
    (void)parse_target(line);
    (void)terminal_type(line);
    const auto command = parse_command(line);
    if (!command)
        return 0;
    fuzz::require(command->service.empty() || is_service_name(command->service));
    fuzz::require(command->args.size() <= operation_of(command->op).max_args);
    read_arguments(command->args);
    return 0;
}
