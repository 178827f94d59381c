#include "core/policy_ports.hpp"

#include "core/places.hpp"
#include "core/published_port.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace pgod {

namespace {

std::string range_text(unsigned first, unsigned last) {
    return std::to_string(first) + (first == last ? "" : "-" + std::to_string(last));
}

std::string granted_text(const std::vector<PortRange>& granted) {
    std::string text;
    for (const auto& range : granted)
        text.append(text.empty() ? "" : ", ").append(range_text(range.first, range.last));
    return text.empty() ? "the granted ports, of which there are none" : text;
}

std::string grant_of(unsigned first, unsigned last) {
    return "ports = [\"" + std::to_string(first) + "/" + std::to_string(last - first) + "\"]";
}

class PortJudge {
  public:
    PortJudge(const std::optional<std::vector<PortRange>>& granted, Findings& findings)
        : granted_(granted)
        , findings_(findings) {}

    // False: enough was seen.
    bool judge(const PlannedContainer& container, const PublishedPort& port) {
        findings_.about({});
        if (port.is_random()) {
            findings_.about(":" + std::to_string(port.container_first) + "/" + port.protocol);
            if (granted_)
                findings_.add(container.service, "ports",
                              "container port " + range_text(port.container_first, port.container_last) +
                                  " asks for a random host port, and this service may only bind " +
                                  granted_text(*granted_) + "; write HOST_PORT:CONTAINER_PORT");
            return true;
        }
        count_ += 1U + port.host_last - port.host_first;
        if (count_ > max_host_ports) {
            findings_.add(container.service, "ports",
                          "the file binds more than " + std::to_string(max_host_ports) + " host ports");
            return false;
        }
        judge_grant(container, port);
        judge_use(container, port);
        return !findings_.full();
    }

  private:
    void judge_grant(const PlannedContainer& container, const PublishedPort& port) {
        if (!granted_)
            return;
        for (unsigned number = port.host_first; number <= port.host_last; ++number) {
            const bool within =
                std::any_of(granted_->begin(), granted_->end(), [number](const PortRange& range) {
                    return number >= range.first && number <= range.last;
                });
            if (within)
                continue;
            findings_.about(std::to_string(number) + "/" + port.protocol);
            findings_.add(container.service, "ports",
                          "host port " + std::to_string(number) + " is outside " + granted_text(*granted_),
                          grant_of(port.host_first, port.host_last));
            return;
        }
    }

    // podman finds this out only when the second container is made.
    void judge_use(const PlannedContainer& container, const PublishedPort& port) {
        for (unsigned number = port.host_first; number <= port.host_last; ++number) {
            auto& addresses = used_[{port.protocol, number}];
            const bool clash = !addresses.empty() && (port.address.empty() || addresses.contains("") ||
                                                      addresses.contains(port.address));
            addresses.insert(port.address);
            if (!clash)
                continue;
            findings_.about(std::to_string(number) + "/" + port.protocol);
            findings_.add(container.service, "ports",
                          "host port " + std::to_string(number) + " is bound twice by this file");
            return;
        }
    }

    const std::optional<std::vector<PortRange>>& granted_;
    Findings& findings_;
    std::size_t count_ = 0;
    std::map<std::pair<std::string, unsigned>, std::set<std::string>> used_;
};

} // namespace

void judge_ports(const Plan& plan, const std::optional<std::vector<PortRange>>& granted, Findings& findings) {
    PortJudge judge(granted, findings);
    for (const auto& container : plan.containers)
        for (const auto& port : published_ports(container))
            if (!judge.judge(container, port))
                return findings.about({});
    findings.about({});
}

} // namespace pgod
