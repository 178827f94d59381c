#include "compose/image_users.hpp"

#include "base/text.hpp"
#include "compose/host_limits.hpp"
#include "compose/json.hpp"
#include "core/findings.hpp"
#include "os/users.hpp"

#include <algorithm>
#include <vector>

namespace pgod::compose {

Status check_image_users(const Work& work, const Plan& plan, const ImageIds& images) {
    std::vector<const PlannedContainer*> containers;
    Podman::Call call;
    call.arguments = {"image", "inspect", "--format", "{{json .Config.User}}", "--"};
    for (const auto& container : plan.containers)
        if (const auto id = images.find(container.image);
            id != images.end() && option_of(container, "--user").empty()) {
            containers.push_back(&container);
            call.arguments.push_back(id->second);
        }
    if (containers.empty())
        return ok();
    call.ends_with_us = true;
    const std::string answer = TRY(work.podman.must(call, "look at the users of images", Code::transient));
    const auto lines = split(trimmed(answer), '\n');
    if (lines.size() != containers.size())
        return Error{Code::transient, "look at the users of images: podman left some out"};
    const HostLimits limits = limits_of_this_host(os::current_user());
    Findings findings;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const Json user = parse_json(lines[i]);
        if (user.is_string())
            check_image_user(*containers[i], user.get<std::string>(), limits, findings);
    }
    const auto found = std::move(findings).take();
    return found.empty() ? ok() : Error{Code::permanent, summary_of(found)};
}

} // namespace pgod::compose
