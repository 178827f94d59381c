#include "compose/kept_values.hpp"

#include "base/text.hpp"
#include "compose/release.hpp"
#include "compose/runtime_place.hpp"
#include "core/memory_file.hpp"
#include "os/safe_path.hpp"
#include "os/secret_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace pgod::compose {

namespace {

constexpr const char* file_name = ".values"; // no container's name begins like that
// Of one env_file, `env` and `secrets`, with room for their names.
constexpr std::size_t max_values = 4 * os::max_secret_file * max_service_secrets;
constexpr std::string_view variable = "variable:", file = "file:";

struct Named {
    std::string service;
    std::string setting; // of pgod's own configuration
    std::string key;     // in the file
    std::string name;
};

void add_named(const PlannedContainer& container, std::string_view text, std::vector<Named>& named) {
    if (const auto name = secret_file_in(text))
        named.push_back({container.service, "secrets", std::string(file).append(*name), std::string(*name)});
    for (auto& name : secrets_in(text))
        named.push_back({container.service, "env_file", std::string(variable).append(name), name});
}

std::vector<Named> named_by(const PlannedContainer& container) {
    std::vector<Named> named;
    for (const auto& option : container.options)
        if (const auto memory = memory_file_of(option))
            add_named(container, memory->text, named);
        else if (option.flag == "--env")
            add_named(container, option.value, named);
    return named;
}

// As the file has them: "variable:NAME" or "file:NAME" → value.
Secrets kept_values(const Work& work) {
    const auto place = open_place(work);
    const auto packed = place ? os::read_file_beneath(place->directory.get(), file_name, max_values)
                              : Result<std::string>(place.error());
    return packed ? secret_files_from(*packed) : Secrets();
}

const Secret* find(const Secrets& secrets, const std::string& name) {
    const auto found = secrets.find(name);
    return found == secrets.end() ? nullptr : &found->second;
}

const Secret* find(const SecretValues& values, const Named& named) {
    if (named.setting == "secrets")
        return find(values.files, named.name);
    const Secret* given = find(values.variables, named.name);
    return given != nullptr ? given : find(values.plain, named.name);
}

} // namespace

SecretValues given_values(const Job& job) {
    SecretValues values{job.secrets, job.secret_files, {}};
    for (const auto& assignment : job.env)
        if (const auto equals = assignment.find('='); equals != std::string::npos)
            values.plain.emplace(assignment.substr(0, equals), Secret(assignment.substr(equals + 1)));
    return values;
}

SecretValues values_for(const Work& work, const std::string& release) {
    SecretValues values = given_values(work.job);
    if (release != running_release)
        return values;
    for (const auto& [key, value] : kept_values(work)) {
        const bool is_file = key.starts_with(file);
        const std::string name = key.substr(is_file ? file.size() : variable.size());
        if (!is_file && values.plain.contains(name))
            continue;
        if ((is_file ? values.files : values.variables).emplace(name, value).second)
            work.output.redact(value.reveal());
    }
    return values;
}

Status keep_values(const Work& work, const Plan& running) {
    const SecretValues values = values_for(work, running_release);
    std::set<std::string> known;
    std::string packed;
    for (const auto& container : running.containers)
        for (const auto& named : named_by(container))
            if (const Secret* value = find(values, named); value != nullptr && known.insert(named.key).second)
                packed.append(named.key)
                    .append(1, '\0')
                    .append(std::to_string(value->reveal().size()))
                    .append(1, '\0')
                    .append(value->reveal());
    if (packed.empty()) {
        if (const auto place = open_place(work))
            (void)::unlinkat(place->directory.get(), file_name, 0);
        return ok();
    }
    const Place place = TRY(make_place(work));
    return os::write_file_atomically(place.directory.get(), file_name, packed, 0400);
}

Status check_kept_values(const Work& work, const Plan& running, std::span<const Container> seen) {
    const SecretValues values = values_for(work, running_release);
    for (const auto& container : running.containers) {
        const Container* there = find_container(seen, container.name);
        if (there == nullptr || there->state != "running")
            continue;
        for (const auto& named : named_by(container))
            if (find(values, named) == nullptr)
                return Error{Code::transient,
                             fmt::format("{}: what runs has the value {} of the admin's {}, which no longer "
                                         "gives it, so a failure could not be rolled back; give it again "
                                         "until this commit is deployed",
                                         escaped(named.service), escaped(named.name), named.setting)};
    }
    return ok();
}

} // namespace pgod::compose
