// Planning: from the exported commit to a judged plan. Nothing is changed and no container is looked at.
#pragma once

#include "compose/job.hpp"
#include "core/plan.hpp"

#include <span>
#include <string>
#include <vector>

namespace pgod::compose {

struct JudgedPlan {
    Plan plan;
    std::string compose_file; // relative to the stage
    std::vector<std::string>
        notes; // what of the commit has no effect, or another one than its author may think
};

// Code::permanent: the commit is rejected. All reasons were said, if there are several; the error is the
// summary of them, and `reasons` gets them.
Result<JudgedPlan> plan_commit(const Work& work, std::vector<Violation>* reasons = nullptr);

// Says every reason, one line each, where there are several; else the caller says the one.
void say_all(const Work& work, std::span<const Violation> violations);
// Says them. The error, Code::permanent, is the line that stays, in the status as well; `reasons`, or
// nullptr, gets them.
Error refused(const Work& work, std::vector<Violation> violations, std::vector<Violation>* reasons);

// The plan of a release of before under today's grants, which may be others by now.
Status judge_again(const Work& work, const Plan& plan, const std::string& release);

} // namespace pgod::compose
