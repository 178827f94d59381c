#include "config/clashes.hpp"

#include "core/dns_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace pgod::config {

namespace {

constexpr std::size_t all_ports = 65536;

struct Claim {
    PortRange range;
    std::size_t service;
    std::size_t entry; // of its `ports`
};

bool leads_to_this_host(const Forward& forward) {
    return forward.host.empty() || forward.host == "localhost" || forward.host.starts_with("127.") ||
           forward.host == "::1";
}

std::string text_of(const PortRange& range) {
    return fmt::format("\"{}/{}\"", range.first, range.last - range.first);
}

class Clashes {
  public:
    Clashes(const toml::array& tables, const std::vector<Service>& services, Complaints& errors)
        : tables_(tables)
        , services_(services)
        , errors_(errors) {}

    void check() {
        check_ports();
        for (std::size_t service = 0; service < services_.size(); ++service)
            check_urls(service);
    }

  private:
    const toml::table& table(std::size_t service) const { return *tables_[service].as_table(); }

    // Sorted by where they begin, so a range meets another one's at its own first port; each port is marked
    // once.
    void check_ports() {
        for (std::size_t service = 0; service < services_.size(); ++service)
            if (const auto& ports = services_[service].ports)
                for (std::size_t entry = 0; entry < ports->size(); ++entry)
                    claims_.push_back({(*ports)[entry], service, entry});
        std::sort(claims_.begin(), claims_.end(), [](const Claim& one, const Claim& other) {
            return std::tie(one.range.first, one.service, one.entry) <
                   std::tie(other.range.first, other.service, other.entry);
        });
        std::size_t next = 1; // not marked yet
        for (const auto& claim : claims_) {
            const Claim* owner = owner_[claim.range.first];
            if (owner != nullptr && owner->service != claim.service) {
                complain_of_ports(*owner, claim);
                continue;
            }
            for (next = std::max<std::size_t>(next, claim.range.first); next <= claim.range.last; ++next)
                owner_[next] = &claim;
        }
    }

    // At the one that comes later in the file.
    void complain_of_ports(const Claim& one, const Claim& other) {
        const auto& [earlier, later] =
            std::minmax(one, other, [](const Claim& a, const Claim& b) { return a.service < b.service; });
        errors_.add(table(later.service).get("ports")->as_array()->get(later.entry)->source(),
                    fmt::format("ports {} overlaps {} of service \"{}\": a host port belongs to one service",
                                text_of(later.range), text_of(earlier.range),
                                services_[earlier.service].name));
    }

    void check_urls(std::size_t service) {
        for (const auto& [name, forward] : services_[service].urls) {
            if (!leads_to_this_host(forward))
                continue;
            const Claim* owner = owner_[forward.port];
            const std::size_t first = led_.emplace(forward.port, service).first->second;
            if (owner != nullptr && owner->service != service)
                complain_of_url(service, name, forward, services_[owner->service].name);
            else if (first != service)
                complain_of_url(service, name, forward, services_[first].name);
        }
    }

    void complain_of_url(std::size_t service, const std::string& name, const Forward& forward,
                         const std::string& other) {
        for (const auto& [key, value] : *table(service).get("urls")->as_table())
            if (dns_name_or_wildcard(key.str()) == name)
                errors_.add(value.source(), fmt::format("urls of \"{}\": port {} belongs to service \"{}\"",
                                                        name, forward.port, other));
    }

    const toml::array& tables_;
    const std::vector<Service>& services_;
    Complaints& errors_;
    std::vector<Claim> claims_; // of `ports`
    std::vector<const Claim*> owner_ = std::vector<const Claim*>(all_ports);
    std::map<std::uint16_t, std::size_t> led_; // port → the first service whose urls lead there
};

} // namespace

void check_clashes(const toml::array& tables, const std::vector<Service>& services, Complaints& errors) {
    Clashes(tables, services, errors).check();
}

} // namespace pgod::config
