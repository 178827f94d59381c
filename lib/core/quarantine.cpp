#include "core/quarantine.hpp"

#include <algorithm>
#include <utility>

namespace pgod::reconcile {

const Quarantined* find_quarantined(const Durable& durable, const std::string& commit) {
    const auto found = std::find_if(durable.quarantine.begin(), durable.quarantine.end(),
                                    [&commit](const Quarantined& entry) { return entry.commit == commit; });
    return found == durable.quarantine.end() ? nullptr : &*found;
}

void quarantine(Durable& durable, Quarantined entry) {
    lift_quarantine(durable, entry.commit);
    durable.quarantine.push_back(std::move(entry));
    if (durable.quarantine.size() > Durable::max_quarantine)
        durable.quarantine.erase(durable.quarantine.begin());
}

bool lift_quarantine(Durable& durable, const std::string& commit) {
    return std::erase_if(durable.quarantine,
                         [&commit](const Quarantined& entry) { return entry.commit == commit; }) > 0;
}

bool release_held(Durable& durable) {
    return std::erase_if(durable.quarantine, [](const Quarantined& entry) { return entry.held; }) > 0;
}

} // namespace pgod::reconcile
