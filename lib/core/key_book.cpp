#include "core/key_book.hpp"

#include <algorithm>

namespace pgod {

KeyBook::Keys KeyBook::by_blob(std::vector<PublicKey> keys) {
    Keys found;
    for (auto& key : keys)
        found[std::move(key.base64)].push_back({std::move(key.name), std::move(key.grant)});
    return found;
}

const std::vector<KeyBook::Entry>& KeyBook::lines_of(const Keys& keys, std::string_view base64) const {
    static const std::vector<Entry> none;
    if (revoked_.find(base64) != revoked_.end())
        return none;
    const auto found = keys.find(base64);
    return found == keys.end() ? none : found->second;
}

void KeyBook::set_service(const std::string& service, std::vector<PublicKey> keys) {
    Keys& current = services_[service];
    for (const auto& [blob, lines] : current)
        if (--uses_[blob] == 0)
            uses_.erase(blob);
    current = by_blob(std::move(keys));
    for (const auto& [blob, lines] : current)
        ++uses_[blob];
}

void KeyBook::forget_service(const std::string& service) {
    set_service(service, {});
    services_.erase(service);
}

bool KeyBook::knows(std::string_view base64, const Circumstances& at) const {
    if (is_admin(base64, at))
        return true;
    if (uses_.find(base64) == uses_.end())
        return false;
    return std::any_of(services_.begin(), services_.end(), [&](const auto& service) {
        const auto& lines = lines_of(service.second, base64);
        return std::any_of(lines.begin(), lines.end(),
                           [&at](const Entry& line) { return counts(line.grant, at); });
    });
}

bool KeyBook::is_admin(std::string_view base64, const Circumstances& at) const {
    const auto& lines = lines_of(admins_, base64);
    return std::any_of(lines.begin(), lines.end(),
                       [&at](const Entry& line) { return counts(line.grant, at); });
}

std::string KeyBook::name_in(std::string_view service, std::string_view base64) const {
    if (const auto entry = services_.find(service); entry != services_.end())
        if (const auto key = entry->second.find(base64); key != entry->second.end())
            return key->second.front().name;
    const auto admin = admins_.find(base64);
    return admin == admins_.end() ? std::string() : admin->second.front().name;
}

bool KeyBook::may_as_admin(std::string_view base64, Op op, const Circumstances& at) const {
    const auto& lines = lines_of(admins_, base64);
    return std::any_of(lines.begin(), lines.end(),
                       [&](const Entry& line) { return counts(line.grant, at) && grants(line.grant, op); });
}

bool KeyBook::may(std::string_view base64, std::string_view service, const OperationGroups& ceiling, Op op,
                  const Circumstances& at) const {
    if (may_as_admin(base64, op, at))
        return true;
    const auto entry = services_.find(service);
    if (entry == services_.end() || !ceiling.allows(operation_of(op).group))
        return false;
    const auto& lines = lines_of(entry->second, base64);
    return std::any_of(lines.begin(), lines.end(),
                       [&](const Entry& line) { return counts(line.grant, at) && grants(line.grant, op); });
}

} // namespace pgod
