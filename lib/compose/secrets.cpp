#include "compose/secrets.hpp"

#include "base/text.hpp"
#include "compose/json.hpp"
#include "core/findings.hpp"
#include "core/memory_file.hpp"
#include "core/plan_flags.hpp"
#include "core/plan_shapes.hpp"
#include "core/variable_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace pgod::compose {

namespace {

constexpr std::string_view opening = "{secret:";
constexpr std::size_t max_env_line = 32 << 10; // bytes; podman's scanner ends at 64 KiB

// The name in the placeholder at or after `from`, and where it begins; npos: there is none.
struct Found {
    std::size_t at = std::string_view::npos;
    std::string_view name;
    std::size_t size() const noexcept { return opening.size() + name.size() + 1; }
};

Found find_placeholder(std::string_view text, std::size_t from = 0) {
    for (auto at = text.find(opening, from); at != std::string_view::npos; at = text.find(opening, at + 1)) {
        const auto rest = text.substr(at + opening.size());
        const auto name = rest.substr(0, std::min(rest.find('}'), rest.size()));
        if (name.size() < rest.size() && is_variable_name(name))
            return {at, name};
    }
    return {};
}

Violation wrong(const std::string& service, std::string setting, std::string problem, std::string advice) {
    Violation violation{service, std::move(setting), std::move(problem), {}};
    violation.advice = std::move(advice);
    return violation;
}

Violation misplaced(const std::string& service, std::string setting, const Found& found) {
    return wrong(
        service, std::move(setting),
        fmt::format("{} is a secret of the admin's env_file, which only environment, secrets and "
                    "configs may hold",
                    found.name),
        fmt::format("put it into environment, where the container finds it as its own ${}", found.name));
}

void check_variable(const PlannedContainer& container, const std::string& assignment, const Secrets& secrets,
                    Findings& findings) {
    const auto refuse = [&](std::string problem, std::string advice) {
        findings.keep(wrong(container.service, "environment", std::move(problem), std::move(advice)));
    };
    const auto variable = assignment.substr(0, assignment.find('='));
    auto found = find_placeholder(assignment);
    if (found.at == std::string_view::npos)
        return;
    if (const auto because = reserved_because(variable); because || !is_variable_name(variable))
        return refuse(fmt::format("{} must not hold a secret: {}", variable,
                                  because.value_or("it is not the name of a variable")),
                      "take another name");
    for (; found.at != std::string_view::npos; found = find_placeholder(assignment, found.at + found.size()))
        if (!secrets.contains(found.name))
            return refuse(fmt::format("the admin's env_file has no {}", found.name), "ask the admin for it");
    const std::string value = with_secrets(assignment, secrets).value_or(assignment);
    if (fits_env_file(value))
        return;
    constexpr std::string_view instead = "hand it over as a file, with secrets of the compose file";
    if (value.size() > max_env_line)
        refuse(fmt::format("{} holds a secret and is longer than {} bytes", variable, max_env_line),
               std::string(instead));
    else
        refuse(
            fmt::format("{} holds a secret and has several lines, which podman takes only on a command line "
                        "that every user can read",
                        variable),
            std::string(instead));
}

// In the words of the compose file.
std::string setting_of(const PlanOption& option) {
    const auto flags = run_flags();
    const auto flag = std::find_if(flags.begin(), flags.end(),
                                   [&option](const Flag& one) { return one.name == option.flag; });
    return std::string(flag == flags.end() ? option.flag : flag->setting);
}

bool holds_secrets(const PlanOption& option) {
    return option.flag == "--env" || option.flag == memory_file_flag;
}

} // namespace

Secrets secrets_from(std::string_view packed) {
    Secrets secrets;
    for (const auto assignment : split(packed, '\0'))
        if (const auto equals = assignment.find('='); equals != std::string_view::npos)
            secrets.emplace(assignment.substr(0, equals), Secret(std::string(assignment.substr(equals + 1))));
    return secrets;
}

Secrets secret_files_from(std::string_view packed) {
    Secrets secrets;
    while (!packed.empty()) {
        const auto name_end = packed.find('\0');
        const auto size_end = name_end == std::string_view::npos ? name_end : packed.find('\0', name_end + 1);
        if (size_end == std::string_view::npos)
            return {};
        const auto digits = packed.substr(name_end + 1, size_end - name_end - 1);
        std::size_t size = 0;
        const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
        if (failed != std::errc() || size > packed.size() - size_end - 1)
            return {};
        secrets.emplace(packed.substr(0, name_end), Secret(std::string(packed.substr(size_end + 1, size))));
        packed.remove_prefix(size_end + 1 + size);
    }
    return secrets;
}

std::optional<std::string_view> secret_file_in(std::string_view text) {
    constexpr std::string_view begin = "{secret-file:";
    if (!text.starts_with(begin) || !text.ends_with('}'))
        return std::nullopt;
    const auto name = text.substr(begin.size(), text.size() - begin.size() - 1);
    return is_object_name(name) ? std::optional(name) : std::nullopt;
}

std::vector<std::string> secrets_in(std::string_view text) {
    std::vector<std::string> names;
    for (auto found = find_placeholder(text); found.at != std::string_view::npos;
         found = find_placeholder(text, found.at + found.size()))
        names.emplace_back(found.name);
    return names;
}

std::optional<std::string> unknown_secret(std::string_view text, const Secrets& secrets) {
    for (auto& name : secrets_in(text))
        if (!secrets.contains(name))
            return std::move(name);
    return std::nullopt;
}

std::string placeholder_of(std::string_view name) {
    return fmt::format("{}{}}}", opening, name);
}

std::optional<std::string> with_secrets(std::string_view assignment, const Secrets& secrets) {
    std::string text;
    bool any = false;
    std::size_t done = 0;
    for (auto found = find_placeholder(assignment); found.at != std::string_view::npos;
         found = find_placeholder(assignment, done)) {
        text += assignment.substr(done, found.at - done);
        done = found.at + found.size();
        any = true;
        if (const auto secret = secrets.find(found.name); secret != secrets.end())
            text += secret->second.reveal();
    }
    if (!any)
        return std::nullopt;
    return text += assignment.substr(done);
}

std::size_t size_with_secrets(std::string_view text, const Secrets& secrets) {
    std::size_t size = text.size();
    for (auto found = find_placeholder(text); found.at != std::string_view::npos;
         found = find_placeholder(text, found.at + found.size()))
        if (const auto secret = secrets.find(found.name); secret != secrets.end())
            size += secret->second.reveal().size();
    return size;
}

bool fits_env_file(std::string_view assignment) {
    const auto equals = assignment.find('=');
    if (equals == std::string_view::npos || equals == 0 || assignment.size() > max_env_line)
        return false;
    const auto name = assignment.substr(0, equals);
    return name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") ==
               std::string_view::npos &&
           assignment.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

void check_secrets(const Plan& plan, const Secrets& secrets, Findings& findings) {
    const auto refuse = [&findings](const std::string& service, std::string setting, std::string_view text) {
        if (const auto found = find_placeholder(text); found.at != std::string_view::npos)
            findings.keep(misplaced(service, std::move(setting), found));
    };
    for (const auto& container : plan.containers) {
        for (const auto& option : container.options)
            if (option.flag == "--env")
                check_variable(container, option.value, secrets, findings);
            else if (!holds_secrets(option))
                refuse(container.service, setting_of(option), option.value);
        refuse(container.service, "image", container.image);
        for (const auto& word : container.command)
            refuse(container.service, "command", word);
    }
    for (const auto& build : plan.builds)
        for (const auto& option : build.options)
            refuse({}, "build", option.value);
}

Result<std::map<std::string, std::string>> changed_secrets(const Podman& podman, const Plan& plan,
                                                           const Secrets& secrets) {
    std::map<std::string, std::vector<std::string>> wanted; // container → NAME=value
    for (const auto& container : plan.containers)
        for (const auto& option : container.options)
            if (option.flag == "--env")
                if (auto assignment = with_secrets(option.value, secrets))
                    wanted[container.name].push_back(std::move(*assignment));
    std::map<std::string, std::string> changed;
    for (const auto& [name, assignments] : wanted) {
        Podman::Call call;
        call.arguments = {"container", "inspect", "--format", "json", "--", name};
        call.ends_with_us = true;
        const PodmanAnswer answer = TRY(podman.call(call));
        const Json list = parse_json(answer.output);
        if (answer.exit_code != 0 || !list.is_array() || list.empty())
            continue; // there is none: it is made with the value of now
        const auto now = texts_of(member_of(list[0], "Config"), "Env");
        for (const auto& assignment : assignments)
            if (std::find(now.begin(), now.end(), assignment) == now.end())
                changed.emplace(name, assignment.substr(0, assignment.find('=')));
    }
    return changed;
}

} // namespace pgod::compose
