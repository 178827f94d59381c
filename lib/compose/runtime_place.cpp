#include "compose/runtime_place.hpp"

#include "os/safe_path.hpp"

#include <fcntl.h>

#include <string_view>

namespace pgod::compose {

namespace {

Result<std::string> runtime_directory(const Work& work) {
    constexpr std::string_view name = "XDG_RUNTIME_DIR=";
    for (const auto& assignment : work.job.environment)
        if (assignment.starts_with(name))
            return assignment.substr(name.size());
    return Error{Code::transient, "the user has no runtime directory for secrets"};
}

std::string relative(const Work& work, const std::string& name) {
    return "pgod/" + work.job.service + (name.empty() ? "" : "/" + name);
}

} // namespace

Result<Place> open_place(const Work& work, const std::string& name) {
    const std::string runtime = TRY(runtime_directory(work)), place = relative(work, name);
    const Fd root = TRY(os::open_directory(runtime));
    return Place{TRY(os::open_beneath(root.get(), place, O_RDONLY | O_DIRECTORY)), runtime + "/" + place};
}

Result<Place> make_place(const Work& work, const std::string& name) {
    const std::string runtime = TRY(runtime_directory(work)), place = relative(work, name);
    const Fd root = TRY(os::open_directory(runtime));
    return Place{TRY(os::make_directories(root.get(), place, 0700)), runtime + "/" + place};
}

void remove_place(const Work& work, const std::string& name) {
    const auto runtime = runtime_directory(work);
    const auto root = runtime ? os::open_directory(*runtime) : Result<Fd>(runtime.error());
    const std::string parent = name.empty() ? "pgod" : "pgod/" + work.job.service;
    const auto all = root ? os::open_beneath(root->get(), parent, O_RDONLY | O_DIRECTORY) : root.error();
    if (all)
        (void)os::remove_tree(all->get(), name.empty() ? work.job.service : name);
}

} // namespace pgod::compose
