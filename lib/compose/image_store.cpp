#include "compose/image_store.hpp"

#include "compose/json.hpp"
#include "core/plan_shapes.hpp"
#include "os/safe_path.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

namespace pgod::compose {

namespace {

constexpr std::size_t max_index = 32 << 20; // bytes; a store with thousands of images
constexpr const char* view = "build/images";

std::string map_of(const Json& info, const char* key) {
    std::string text;
    for (const auto& range : items_of(member_of(member_of(info, "host"), "idMappings"), key))
        text += fmt::format("{}{}:{}:{}", text.empty() ? "" : ",", number_of(range, "container_id"),
                            number_of(range, "host_id"), number_of(range, "size"));
    return text;
}

// The entries of an index with one of these ids.
Json chosen(const Json& index, const std::set<std::string>& ids) {
    Json some = Json::array();
    if (index.is_array())
        for (const auto& entry : index)
            if (ids.contains(text_of(entry, "id")))
                some.push_back(entry);
    return some;
}

// The layers of these images, and the layers beneath them.
std::set<std::string> with_parents(const Json& layers, const Json& images) {
    std::map<std::string, std::string> parents;
    if (layers.is_array())
        for (const auto& layer : layers)
            parents[text_of(layer, "id")] = text_of(layer, "parent");
    std::set<std::string> wanted;
    const auto want = [&](std::string id) {
        while (is_object_name(id) && parents.contains(id) && wanted.insert(id).second)
            id = parents.at(id);
    };
    for (const auto& image : images) {
        want(text_of(image, "layer"));
        for (const auto& layer : texts_of(image, "mapped-layers"))
            want(layer);
    }
    return wanted;
}

class View {
  public:
    View(const Work& work, const ImageStore& store, std::string inside)
        : work_(work)
        , store_(store)
        , inside_(std::move(inside)) {}

    // images.json or layers.json in a directory of the view, with the lock that podman opens beside it.
    Status write_index(const std::string& kind, const Json& entries) const {
        const std::string name = store_.driver + "-" + kind;
        const Fd directory = TRY(work_.directory.make_directory(fmt::format("{}/{}", view, name)));
        TRY(os::write_file_atomically(directory.get(), kind + ".json", written(entries), 0600));
        return os::write_file_atomically(directory.get(), kind + ".lock", "", 0600);
    }

    // A directory of the store, at the same place of the view.
    Status show(const std::string& path) {
        (void)TRY(work_.directory.make_directory(fmt::format("{}/{}", view, path)));
        shown_.emplace_back(store_.root + "/" + path, inside_ + "/" + path);
        return ok();
    }

    Status show_layer(const std::string& id) {
        TRY(show(fmt::format("{}/{}", store_.driver == "vfs" ? "vfs/dir" : store_.driver, id)));
        const std::string split = fmt::format("{}-layers/{}.tar-split.gz", store_.driver, id);
        struct stat found {};
        if (::lstat((store_.root + "/" + split).c_str(), &found) != 0 || !S_ISREG(found.st_mode))
            return ok(); // an old build made this layer
        const Fd directory =
            TRY(work_.directory.make_directory(fmt::format("{}/{}-layers", view, store_.driver)));
        TRY(os::write_file_atomically(directory.get(), id + ".tar-split.gz", "", 0600));
        shown_.emplace_back(store_.root + "/" + split, inside_ + "/" + split);
        return ok();
    }

    Shown take() && { return std::move(shown_); }

  private:
    const Work& work_;
    const ImageStore& store_;
    std::string inside_;
    Shown shown_;
};

} // namespace

Result<ImageStore> find_image_store(const Podman& podman) {
    Podman::Call call;
    call.arguments = {"info", "--format", "json"};
    call.ends_with_us = true;
    const Json info = parse_json(TRY(podman.must(call, "ask podman for its storage", Code::transient)));
    const Json store = member_of(info, "store");
    ImageStore found;
    found.driver = text_of(store, "graphDriverName");
    found.root = text_of(store, "graphRoot");
    found.mount_program =
        text_of(member_of(member_of(store, "graphOptions"), "overlay.mount_program"), "Executable");
    found.runtime = text_of(member_of(member_of(info, "host"), "ociRuntime"), "path");
    found.uids = map_of(info, "uidmap");
    found.gids = map_of(info, "gidmap");
    if (!found.driver.empty() && found.root.starts_with('/') && found.runtime.starts_with('/') &&
        !found.uids.empty() && !found.gids.empty())
        return found;
    return Error{Code::transient, "podman info does not name its storage, runtime and ids"};
}

Result<Shown> show_images(const Work& work, const ImageStore& store, const std::vector<std::string>& ids,
                          const std::string& inside) {
    const Fd directory = TRY(work.directory.make_directory("build"));
    TRY(os::remove_tree(directory.get(), "images"));
    View shown(work, store, inside);
    const auto read = [&](const char* kind) -> Result<Json> {
        return parse_json(TRY_DOING(
            os::read_file(fmt::format("{}/{}-{}/{}.json", store.root, store.driver, kind, kind), max_index),
            "podman's images"));
    };
    Json images = Json::array();
    Json layers = Json::array();
    if (!ids.empty()) {
        images = chosen(TRY(read("images")), {ids.begin(), ids.end()});
        const Json all = TRY(read("layers"));
        layers = chosen(all, with_parents(all, images));
    }
    TRY(shown.write_index("images", images));
    TRY(shown.write_index("layers", layers));
    (void)TRY(work.directory.make_directory(fmt::format("{}/{}", view, store.driver)));
    if (store.driver == "overlay" && !layers.empty())
        TRY(shown.show("overlay/l")); // links by which layers name one another
    for (const auto& image : images)
        TRY(shown.show(fmt::format("{}-images/{}", store.driver, text_of(image, "id"))));
    for (const auto& layer : layers)
        TRY(shown.show_layer(text_of(layer, "id")));
    return std::move(shown).take();
}

} // namespace pgod::compose
