#include "compose/json.hpp"

namespace pgod::compose {

namespace {

constexpr int max_depth = 32;

const Json* member(const Json& object, const char* key) {
    if (!object.is_object())
        return nullptr;
    const auto found = object.find(key);
    return found == object.end() ? nullptr : &*found;
}

} // namespace

Json parse_json(std::string_view text) {
    bool too_deep = false;
    const auto limit_depth = [&too_deep](int depth, Json::parse_event_t, Json&) {
        too_deep |= depth > max_depth;
        return !too_deep;
    };
    Json value = Json::parse(text, limit_depth, false);
    return too_deep ? Json(Json::value_t::discarded) : value;
}

std::string text_of(const Json& value) {
    return value.is_string() ? value.get<std::string>() : std::string();
}

std::string text_of(const Json& object, const char* key) {
    const Json* found = member(object, key);
    return found == nullptr ? std::string() : text_of(*found);
}

std::int64_t number_of(const Json& object, const char* key) {
    const Json* found = member(object, key);
    return found != nullptr && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

bool flag_of(const Json& object, const char* key) {
    const Json* found = member(object, key);
    return found != nullptr && found->is_boolean() && found->get<bool>();
}

std::vector<std::string> texts_of(const Json& object, const char* key) {
    std::vector<std::string> texts;
    for (const auto& item : items_of(object, key))
        if (item.is_string())
            texts.push_back(item.get<std::string>());
    return texts;
}

std::vector<Json> items_of(const Json& object, const char* key) {
    const Json* found = member(object, key);
    if (found == nullptr || !found->is_array())
        return {};
    return {found->begin(), found->end()};
}

Json member_of(const Json& object, const char* key) {
    const Json* found = member(object, key);
    return found == nullptr ? Json() : *found;
}

std::map<std::string, Json> members_of(const Json& object, const char* key) {
    const Json* found = member(object, key);
    std::map<std::string, Json> members;
    if (found != nullptr && found->is_object())
        for (const auto& [name, value] : found->items())
            members.emplace(name, value);
    return members;
}

std::string written(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace pgod::compose
