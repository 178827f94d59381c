#include "daemon/strangers.hpp"

#include "core/time_text.hpp"
#include "daemon/status_words.hpp"

#include <algorithm>

namespace pgod::daemon {

void Strangers::note(const std::string& from, unsigned unknown_keys, reconcile::Time now) {
    if (seen_.empty())
        since_ = now;
    const bool has_place = seen_.size() < max_addresses || seen_.contains(from);
    Count& count = seen_[has_place ? from : "others"];
    ++count.connections;
    count.unknown_keys += unknown_keys;
}

std::vector<std::string> Strangers::take() {
    std::vector<std::pair<std::string, Count>> counts(seen_.begin(), seen_.end());
    seen_.clear();
    std::stable_sort(counts.begin(), counts.end(), [](const auto& one, const auto& other) {
        return one.second.connections > other.second.connections;
    });
    std::vector<std::string> lines;
    for (const auto& [address, count] : counts) {
        Json json;
        json["time"] = reconcile::utc_text(since_);
        json["from"] = address;
        json["connections"] = count.connections;
        json["unknown_keys"] = count.unknown_keys;
        lines.push_back(json.dump() + "\n");
    }
    return lines;
}

} // namespace pgod::daemon
