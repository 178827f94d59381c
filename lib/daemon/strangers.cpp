#include "daemon/strangers.hpp"

#include "daemon/status_words.hpp"

#include <algorithm>

namespace pgod::daemon {

void Strangers::note(const std::string& peer, unsigned unknown_keys, reconcile::Time now) {
    if (seen_.empty())
        since_ = now;
    auto address = peer.substr(0, peer.rfind(':'));
    if (seen_.size() >= max_addresses && !seen_.contains(address))
        address = "others";
    Count& count = seen_[address];
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
        json["time"] = time_text(since_);
        json["from"] = address;
        json["connections"] = count.connections;
        json["unknown_keys"] = count.unknown_keys;
        lines.push_back(json.dump() + "\n");
    }
    return lines;
}

} // namespace pgod::daemon
