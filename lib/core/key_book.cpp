#include "core/key_book.hpp"

namespace pgod {

KeyBook::Keys KeyBook::by_blob(std::vector<PublicKey> keys) {
    Keys found;
    for (auto& key : keys)
        found.emplace(std::move(key.base64), std::move(key.name));
    return found;
}

void KeyBook::set_service(const std::string& service, std::vector<PublicKey> keys) {
    Keys& current = services_[service];
    for (const auto& [blob, name] : current)
        if (--uses_[blob] == 0)
            uses_.erase(blob);
    current = by_blob(std::move(keys));
    for (const auto& [blob, name] : current)
        ++uses_[blob];
}

void KeyBook::forget_service(const std::string& service) {
    set_service(service, {});
    services_.erase(service);
}

bool KeyBook::knows(std::string_view base64) const {
    if (revoked_.find(base64) != revoked_.end())
        return false;
    return admins_.find(base64) != admins_.end() || uses_.find(base64) != uses_.end();
}

bool KeyBook::is_admin(std::string_view base64) const {
    return revoked_.find(base64) == revoked_.end() && admins_.find(base64) != admins_.end();
}

std::string KeyBook::name_in(std::string_view service, std::string_view base64) const {
    if (const auto entry = services_.find(service); entry != services_.end())
        if (const auto key = entry->second.find(base64); key != entry->second.end())
            return key->second;
    const auto admin = admins_.find(base64);
    return admin == admins_.end() ? std::string() : admin->second;
}

bool KeyBook::may(std::string_view base64, std::string_view service, const OperationGroups& ceiling,
                  OpGroup group) const {
    if (revoked_.find(base64) != revoked_.end())
        return false;
    if (admins_.find(base64) != admins_.end())
        return true;
    const auto entry = services_.find(service);
    return entry != services_.end() && entry->second.find(base64) != entry->second.end() &&
           ceiling.allows(group);
}

} // namespace pgod
