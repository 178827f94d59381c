#include "compose/base_names.hpp"

#include "core/image_name.hpp"
#include "core/plan_images.hpp"

#include <fmt/format.h>

namespace pgod::compose {

namespace {

Error is_kept(const std::string& written) {
    return {Code::permanent, fmt::format("it starts from {}, a name that pgod keeps for itself; write the "
                                         "registry before it, or choose another name",
                                         written)};
}

} // namespace

Result<std::string> BaseNames::complete(const std::string& written) {
    if (is_kept_by_pgod(written)) // the policy refuses these names in a compose file
        return is_kept(written);
    if (names_a_registry(written))
        return completed_image(written);
    std::string meaning = image_of_this_host(written);
    if (TRY(podman_.images({&meaning, 1})).empty()) {
        const PlannedBuild* other = build_of(plan_, written);
        if (other == nullptr || other->image == build_.image)
            meaning = completed_image(written);
        else if (!another_)
            another_ = Error{Code::permanent,
                             fmt::format("it starts from {}, which another build of the compose file makes; "
                                         "make both stages of one Containerfile, and choose with \"target\"",
                                         written)};
    }
    // An alias holds for all tags of a name: once one of them is of this host, none may come from elsewhere.
    const std::string name(without_tag(written));
    auto& known = meanings_[name];
    if (known != image_of_this_host(name))
        known = without_tag(meaning);
    return meaning;
}

std::string BaseNames::settings() const {
    return registries_conf(meanings_);
}

} // namespace pgod::compose
