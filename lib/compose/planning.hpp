// Planning: from the exported commit to a judged plan. Nothing is changed and no container is looked at.
#pragma once

#include "compose/job.hpp"
#include "core/plan.hpp"

#include <string>

namespace pgod::compose {

struct JudgedPlan {
    Plan plan;
    std::string compose_file; // relative to the stage
};

// Code::permanent: the commit is rejected. The error is the first violation; the others were said.
Result<JudgedPlan> plan_commit(const Work& work);

// A plan of before under today's grants, which may be others by now.
Status judge_again(const Work& work, const Plan& plan);

} // namespace pgod::compose
