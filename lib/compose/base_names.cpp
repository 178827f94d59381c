#include "compose/base_names.hpp"

#include "core/image_name.hpp"
#include "core/plan_images.hpp"

#include <fmt/format.h>

namespace pgod::compose {

Result<std::string> BaseNames::complete(const std::string& written) {
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
    meanings_[std::string(without_tag(written))] = without_tag(meaning);
    return meaning;
}

std::string BaseNames::settings() const {
    return registries_conf(meanings_);
}

} // namespace pgod::compose
