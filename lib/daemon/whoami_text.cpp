#include "daemon/whoami_text.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace pgod::daemon {

namespace {

// A group that is whole by its name, of others the operations.
std::vector<std::string> names_of(const std::vector<Op>& may) {
    const auto has = [&may](const Operation& operation) {
        return std::find(may.begin(), may.end(), operation.op) != may.end();
    };
    std::vector<std::string> names;
    for (const auto& [group, name] : {std::pair{OpGroup::read, "read"},
                                      {OpGroup::deploy, "deploy"},
                                      {OpGroup::exec, "exec"},
                                      {OpGroup::admin, "admin"}}) {
        std::vector<std::string> single;
        bool whole = true;
        for (const Operation& operation : all_operations()) {
            if (operation.group != group)
                continue;
            whole = whole && has(operation);
            if (has(operation))
                single.emplace_back(operation.name);
        }
        if (whole && !single.empty())
            single = {name};
        names.insert(names.end(), single.begin(), single.end());
    }
    return names;
}

} // namespace

std::string whoami_text(const WhoAmI& found) {
    std::string out = fmt::format("{:<11} {}\n", found.is_user ? "user" : "key", escaped(found.caller));
    if (found.admin)
        out += fmt::format("{:<11} yes\n", "admin");
    std::size_t width = 7;
    std::size_t name_width = 4;
    for (const auto& grant : found.grants) {
        width = std::max(width, grant.service.size());
        name_width = std::max(name_width, escaped(grant.key_name).size());
    }
    out += fmt::format("{:<{}}  {:<{}}  {}\n", "SERVICE", width, "NAME", name_width, "MAY");
    for (const auto& grant : found.grants)
        out += fmt::format("{:<{}}  {:<{}}  {}\n", grant.service, width, escaped(grant.key_name), name_width,
                           fmt::join(names_of(grant.may), " "));
    return out;
}

std::string whoami_json(const WhoAmI& found) {
    using Json = nlohmann::ordered_json;
    Json json;
    json[found.is_user ? "user" : "fingerprint"] = found.caller;
    json["admin"] = found.admin;
    json["services"] = Json::array();
    for (const auto& grant : found.grants)
        json["services"].push_back(
            {{"name", grant.service}, {"key_name", grant.key_name}, {"may", names_of(grant.may)}});
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace pgod::daemon
