#include "core/key_grant.hpp"

#include "base/text.hpp"
#include "core/time_text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace pgod {

namespace {

Error refused(std::string sentence) {
    return Error{Code::invalid, std::move(sentence)};
}

constexpr std::uint64_t bit_of(Op op) noexcept {
    return std::uint64_t{1} << static_cast<unsigned>(op);
}

std::optional<OpGroup> group_named(std::string_view name) noexcept {
    for (const auto& [group, its_name] : {std::pair{OpGroup::read, "read"},
                                          {OpGroup::deploy, "deploy"},
                                          {OpGroup::exec, "exec"},
                                          {OpGroup::admin, "admin"}})
        if (name == its_name)
            return group;
    return std::nullopt;
}

// `exec` is a group and its only operation: the same bits.
std::uint64_t bits_named(std::string_view name) noexcept {
    std::uint64_t bits = 0;
    const auto group = group_named(name);
    for (const Operation& operation : all_operations())
        if (operation.name == name || (group && operation.group == *group))
            bits |= bit_of(operation.op);
    return bits;
}

Result<std::uint64_t> parse_ops(std::string_view value) {
    std::uint64_t ops = 0;
    for (const auto part : split(value, ',')) {
        const auto bits = bits_named(trimmed(part));
        if (bits == 0)
            return refused(
                "pgo-ops names something that is neither an operation nor read, deploy, exec or admin");
        ops |= bits;
    }
    return ops;
}

// YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, in the host's time unless a Z follows, as sshd(8) reads it.
Result<reconcile::Time> parse_expiry(std::string_view value) {
    const Error wrong = refused("expiry-time must be written as YYYYMMDD[HHMM[SS]][Z]");
    const bool utc = value.ends_with('Z');
    if (utc)
        value.remove_suffix(1);
    if (value.size() != 8 && value.size() != 12 && value.size() != 14)
        return wrong;
    std::array<int, 6> fields{0, 0, 0, 0, 0, 0};
    for (std::size_t i = 0, at = 0; at < value.size(); ++i) {
        const std::size_t length = i == 0 ? 4 : 2;
        const auto number = parse_decimal(value.substr(at, length));
        if (!number)
            return wrong;
        fields[i] = static_cast<int>(*number);
        at += length;
    }
    const auto [year, month, day, hour, minute, second] = fields;
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok() || year < 1970 || hour > 23 || minute > 59 || second > 59)
        return wrong;
    if (utc)
        return reconcile::Time{std::chrono::sys_days{date} + std::chrono::hours{hour} +
                               std::chrono::minutes{minute} + std::chrono::seconds{second}};
    std::tm local{};
    local.tm_year = year - 1900;
    local.tm_mon = month - 1;
    local.tm_mday = day;
    local.tm_hour = hour;
    local.tm_min = minute;
    local.tm_sec = second;
    local.tm_isdst = -1;
    return reconcile::Time{std::chrono::seconds{std::mktime(&local)}};
}

Result<std::vector<AddressBlock>> parse_from(std::string_view value) {
    std::vector<AddressBlock> blocks;
    for (auto pattern : split(value, ',')) {
        const bool negated = pattern.starts_with('!');
        if (negated)
            pattern.remove_prefix(1);
        if (pattern == "*") {
            blocks.push_back({negated, {false, {}}, 0});
            blocks.push_back({negated, {true, {}}, 0});
        } else if (auto block = parse_block(pattern)) {
            block->negated = negated;
            blocks.push_back(*block);
        } else {
            return refused(
                "from names something that is no address: write 192.0.2.1, 192.0.2.0/24, 192.0.2.* or "
                "2001:db8::/32, with no bit set beyond the mask; host names are not looked up");
        }
        if (blocks.size() > KeyGrant::max_blocks)
            return refused(fmt::format("from has more than {} patterns", KeyGrant::max_blocks));
    }
    return blocks;
}

struct Option {
    std::string_view name;
    std::optional<std::string> value; // without its quotes
};

// One option from the front, and the comma behind it.
Result<Option> take_option(std::string_view& rest) {
    Option option;
    const auto end = std::min(rest.find_first_of(",="), rest.size());
    option.name = rest.substr(0, end);
    rest.remove_prefix(end);
    if (rest.starts_with('=')) {
        rest.remove_prefix(1);
        if (!rest.starts_with('"'))
            return refused(fmt::format("the value of {} must stand in double quotes",
                                       escaped(shortened(option.name, 40))));
        rest.remove_prefix(1);
        option.value.emplace();
        while (!rest.empty() && rest.front() != '"') {
            if (rest.starts_with("\\\""))
                rest.remove_prefix(1);
            *option.value += rest.front();
            rest.remove_prefix(1);
        }
        if (rest.empty())
            return refused("a double quote is not closed");
        rest.remove_prefix(1);
    }
    if (!rest.empty() && rest.front() != ',')
        return refused("a comma must stand between two options");
    if (!rest.empty())
        rest.remove_prefix(1);
    return option;
}

} // namespace

Result<KeyGrant> parse_key_options(std::string_view options) {
    KeyGrant grant;
    while (!options.empty()) {
        const auto option = TRY(take_option(options));
        const bool known = option.name == "pgo-ops" || option.name == "expiry-time" || option.name == "from";
        if (!known)
            return refused(
                fmt::format("the option \"{}\" before the key is not known: pgo-ops, expiry-time and "
                            "from are; remove it",
                            escaped(shortened(option.name, 40))));
        if (!option.value || option.value->empty())
            return refused(fmt::format("{} needs a value: {}=\"...\"", option.name, option.name));
        if ((option.name == "pgo-ops" && grant.ops) || (option.name == "expiry-time" && grant.expires) ||
            (option.name == "from" && !grant.from.empty()))
            return refused(fmt::format("{} stands there twice", option.name));
        if (option.name == "pgo-ops")
            grant.ops = TRY(parse_ops(*option.value));
        else if (option.name == "expiry-time")
            grant.expires = TRY(parse_expiry(*option.value));
        else
            grant.from = TRY(parse_from(*option.value));
    }
    return grant;
}

std::string key_options_text(const KeyGrant& grant) {
    std::string text;
    const auto add = [&text](std::string_view name, const std::string& value) {
        text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", name, value);
    };
    if (grant.ops) {
        std::string names;
        for (const Operation& operation : all_operations())
            if ((*grant.ops & bit_of(operation.op)) != 0)
                names += fmt::format("{}{}", names.empty() ? "" : ",", operation.name);
        add("pgo-ops", names);
    }
    if (grant.expires) { // not by system_clock::to_time_t(): that counts in nanoseconds, which end in 2262
        const auto since_epoch = std::chrono::floor<std::chrono::seconds>(*grant.expires).time_since_epoch();
        add("expiry-time", fmt::format("{:%Y%m%d%H%M%S}Z", fmt::gmtime(std::time_t{since_epoch.count()})));
    }
    std::string blocks;
    for (const auto& block : grant.from)
        blocks += (blocks.empty() ? "" : ",") + block_text(block);
    if (!blocks.empty())
        add("from", blocks);
    return text;
}

bool counts(const KeyGrant& grant, const Circumstances& circumstances) {
    if (grant.expires && circumstances.now >= *grant.expires)
        return false;
    if (grant.from.empty())
        return true;
    if (!circumstances.from)
        return false;
    bool matched = false;
    for (const auto& block : grant.from)
        if (is_within(block, *circumstances.from)) {
            if (block.negated)
                return false;
            matched = true;
        }
    return matched;
}

bool grants(const KeyGrant& grant, Op op) noexcept {
    return !grant.ops || (*grant.ops & bit_of(op)) != 0;
}

} // namespace pgod
