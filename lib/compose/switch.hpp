// The switch: the only steps that take containers down and bring them up. Each podman call has its own
// status. Containers are found by pgod's label, so those of a compose service that a commit removed go as
// well, and a container of anybody else is never touched.
#pragma once

#include "compose/binds.hpp"
#include "compose/found_objects.hpp"
#include "compose/job.hpp"
#include "compose/record.hpp"
#include "core/findings.hpp"

#include <chrono>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace pgod::compose {

// Stops each with its own signal and within its own period, and removes it: one call, in which podman does
// several at a time.
// `at_least`: the period to stop in, where podman has a shorter one for the container.
Status remove_containers(const Work& work, std::span<const Container> containers,
                         std::chrono::seconds at_least = {});

// Names that the plan needs and somebody else holds.
void check_names(const Work& work, const Plan& plan, std::span<const Container> seen, Findings& findings);

// Addresses that its networks need and somebody else has.
Status check_addresses(const Work& work, const Plan& plan, FoundObjects& objects, Findings& findings);

// Networks and volumes of the plan. make_missing() makes what does not exist. Networks that differ from the
// plan, or whose addresses an obsolete one still has, can only be made when nothing uses them, with
// replace_networks().
class Surroundings {
  public:
    static Result<Surroundings> look(const Work& work, const Plan& plan);
    // Adds what cannot be made, where the other one ends with it.
    static Result<Surroundings> look(const Work& work, const Plan& plan, FoundObjects& objects,
                                     Findings& findings);
    Status make_missing(const Work& work, const Plan& plan) const;
    Status replace_networks(const Work& work, const Plan& plan) const;
    const std::vector<std::string>& to_be_replaced() const noexcept { return changed_networks_; }
    void remove_obsolete(const Work& work) const; // networks that no plan names any more; best effort

  private:
    void find_room(const Plan& plan, const std::map<std::string, FoundNetwork>& found, Findings& findings);

    std::vector<std::string> missing_networks_;
    std::vector<std::string> changed_networks_;
    std::vector<std::string> obsolete_networks_;
    std::vector<std::string> missing_volumes_;
};

// Networks on which containers of the plan cannot find each other by name: two or more share it, and podman
// made it without DNS. None where podman does not answer.
std::vector<std::string> networks_without_dns(const Work& work, const Plan& plan);

BindRoots bind_roots(const Work& work);
std::string state_of(const Work& work); // pgod's own directory
std::vector<std::string> granted_volumes(const Work& work);

// Runs the record's plan but for what is in `started` already, side by side those that do not wait for each
// other; what was started is in `started` also when one fails. `release`: where its files are, "incoming" or
// "record".
Status run_containers(const Work& work, const Record& record, const std::string& release,
                      std::vector<RecordedContainer>& started);

} // namespace pgod::compose
