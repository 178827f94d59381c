#include "daemon/audit_entry.hpp"

#include "base/text.hpp"
#include "core/exit_status.hpp"
#include "core/time_text.hpp"
#include "daemon/status_words.hpp"

#include <fmt/format.h>

#include <string_view>

namespace pgod::daemon {

namespace {

constexpr std::size_t max_arg = 100; // bytes
constexpr std::size_t max_args = 8;

std::string_view outcome_of(const AuditEntry& entry) {
    if (entry.left)
        return "left";
    switch (entry.exit_status) {
    case exit_status::done:
        return "done";
    case exit_status::usage:
    case exit_status::rejected:
    case exit_status::unauthorized:
        return "refused";
    case exit_status::busy:
        return "goes on";
    default:
        return "failed";
    }
}

// Of `exec` the compose service and the program; of others the first few.
std::vector<std::string> shown_args(const AuditEntry& entry) {
    std::size_t count = max_args;
    if (entry.operation == "exec") {
        count = 0;
        while (count < entry.args.size() && entry.args[count].starts_with('-'))
            ++count;
        count += 2;
    }
    std::vector<std::string> shown;
    for (const auto& arg : entry.args) {
        if (shown.size() == count) {
            shown.push_back(fmt::format("[{} more]", entry.args.size() - count));
            break;
        }
        shown.push_back(shortened(arg, max_arg));
    }
    return shown;
}

} // namespace

std::string audit_line(const AuditEntry& entry) {
    Json json;
    json["time"] = reconcile::utc_text(entry.at);
    json["key"] = entry.fingerprint;
    json["name"] = entry.name;
    json["from"] = entry.peer;
    json["service"] = entry.service;
    json["operation"] = entry.operation;
    json["args"] = shown_args(entry);
    json["outcome"] = outcome_of(entry);
    json["status"] = entry.left ? Json() : Json(entry.exit_status);
    json["milliseconds"] = entry.took.count();
    return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

std::string audit_mark_of(const std::string& service) {
    return fmt::format(R"("service":"{}")", service); // within a value the quotes are escaped
}

} // namespace pgod::daemon
