#include "daemon/caller.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

namespace pgod::daemon {

std::string Caller::id() const {
    return user_ ? fmt::format("uid {}", user_->uid) : key_.base64;
}

std::string Caller::shown() const {
    if (!user_)
        return key_.fingerprint;
    return user_->name.empty() ? id() : fmt::format("{} ({})", id(), user_->name);
}

std::string Caller::name_in(std::string_view service) const {
    return user_ ? user_->name : keys_->name_in(service, key_.base64);
}

std::string Caller::described(std::string_view service) const {
    return user_ ? shown() : fmt::format("{} ({})", name_in(service), key_.fingerprint);
}

std::string Caller::address_as() const {
    return user_ ? shown() : "your key";
}

bool Caller::is_admin() const {
    return user_ ? user_->may_all : keys_->is_admin(key_.base64, key_.at);
}

bool Caller::may_as_admin(Op op) const {
    return user_ ? user_->may_all : keys_->may_as_admin(key_.base64, op, key_.at);
}

bool Caller::may(const Ownership& service, Op op) const {
    if (!user_)
        return keys_->may(key_.base64, service.service, service.ceiling, op, key_.at);
    return user_->may_all || (service.owner == user_->uid && operation_of(op).group != OpGroup::admin);
}

bool Caller::could(const Ownership& service, Op op) const {
    constexpr OperationGroups everything{.read = true, .deploy = true, .exec = true};
    return may({service.service, everything, service.owner}, op);
}

std::string Caller::refusal(std::string_view service) const {
    if (!user_)
        return fmt::format("Unauthorized: Key for user \"{}\" does not match any for name {}", key_.ssh_user,
                           service);
    return fmt::format("Unauthorized: {} is neither root nor the user of {}", shown(),
                       service.empty() ? "a service of this host" : service);
}

} // namespace pgod::daemon
