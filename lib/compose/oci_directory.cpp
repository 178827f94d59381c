#include "compose/oci_directory.hpp"

#include "compose/json.hpp"
#include "os/safe_path.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <system_error>

namespace pgod::compose {

namespace {

constexpr int max_blobs = 10'000;
constexpr std::size_t max_index = 1 << 20; // bytes

} // namespace

Result<std::uint64_t> size_of_image(const ServiceDirectory& directory, const std::string& path) {
    std::error_code failed;
    std::uint64_t size = 0;
    int files = 0;
    const std::filesystem::path blobs = directory.path_of(path) + "/blobs";
    for (std::filesystem::recursive_directory_iterator entry(blobs, failed), end; !failed && entry != end;
         entry.increment(failed)) {
        struct stat found {};
        if (++files > max_blobs || ::lstat(entry->path().c_str(), &found) != 0)
            return Error{Code::permanent, "the built image has more layers than pgod takes"};
        size += static_cast<std::uint64_t>(found.st_size);
    }
    if (failed)
        return Error{Code::internal, "podman save wrote no image: " + failed.message()};
    return size;
}

Status drop_names(const ServiceDirectory& service, const std::string& path) {
    const Fd directory = TRY(service.open_directory(path));
    const Json index = parse_json(TRY(os::read_file_beneath(directory.get(), "index.json", max_index)));
    const auto manifests = items_of(index, "manifests");
    if (manifests.size() != 1)
        return Error{Code::internal, "podman save wrote more or less than one image"};
    Json clean;
    clean["schemaVersion"] = 2;
    clean["manifests"] = Json::array({{{"mediaType", text_of(manifests[0], "mediaType")},
                                       {"digest", text_of(manifests[0], "digest")},
                                       {"size", number_of(manifests[0], "size")}}});
    return os::write_file_atomically(directory.get(), "index.json", written(clean), 0600);
}

} // namespace pgod::compose
