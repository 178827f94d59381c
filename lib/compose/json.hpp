// Reading JSON that somebody else wrote (podman, the translator, an older pgod): a missing or wrongly typed member
// is an empty value, never an exception. Only .cpp files of this folder include it.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::compose {

using Json = nlohmann::json;

Json parse_json(std::string_view text); // discarded when malformed, or nested deeper than anything we read

std::string text_of(const Json& value);
std::string text_of(const Json& object, const char* key);
std::int64_t number_of(const Json& object, const char* key);
bool flag_of(const Json& object, const char* key);
std::vector<std::string> texts_of(const Json& object, const char* key);
std::vector<Json> items_of(const Json& object, const char* key);
Json member_of(const Json& object, const char* key); // null when missing
std::map<std::string, Json> members_of(const Json& object, const char* key);

// Bytes that are no UTF-8 are replaced, so writing never throws.
std::string written(const Json& value);

} // namespace pgod::compose
