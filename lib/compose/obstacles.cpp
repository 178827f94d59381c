#include "compose/obstacles.hpp"

#include "compose/binds.hpp"
#include "compose/foreign_objects.hpp"
#include "compose/granted_objects.hpp"
#include "compose/nested_mounts.hpp"
#include "compose/planning.hpp"
#include "compose/switch.hpp"

#include <utility>

namespace pgod::compose {

Status check_obstacles(const Work& work, const Plan& plan, const PlanSurroundings& surroundings,
                       FoundObjects& objects, std::vector<Violation>* reasons) {
    Findings findings;
    check_names(work, plan, surroundings.seen, findings);
    TRY(check_foreign_objects(work, plan, surroundings.seen, surroundings.running, objects, findings));
    TRY(check_addresses(work, plan, objects, findings));
    if (surroundings.tree >= 0)
        check_binds(plan, bind_roots(work), surroundings.tree, nested_files(work, plan, surroundings.files),
                    findings);
    if (auto found = std::move(findings).take(); !found.empty())
        return refused(work, std::move(found), reasons);
    return check_granted_objects(work, plan, objects);
}

} // namespace pgod::compose
