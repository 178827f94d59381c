#include "compose/build.hpp"

#include "base/text.hpp"
#include "compose/arguments.hpp"
#include "compose/base_names.hpp"
#include "compose/host_gateway.hpp"
#include "compose/image_store.hpp"
#include "compose/memory_limit.hpp"
#include "compose/oci_directory.hpp"
#include "compose/problem.hpp"
#include "compose/space.hpp"
#include "compose/tail.hpp"
#include "core/base_images.hpp"
#include "core/plan_shapes.hpp"
#include "os/safe_path.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

namespace pgod::compose {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr unsigned max_processes = 4096; // of one build, all ids together; a parallel make of a large host
constexpr std::size_t max_containerfile = 1 << 20;
constexpr std::size_t max_small_file = 4096;
constexpr std::size_t max_bases = 16; // of one store, over time
constexpr auto longest_transfer = 10min;
constexpr auto longest_cleaning = 3min;
constexpr const char* unfinished = "build/unfinished"; // a build began; what it left is not removed yet

// Exit statuses of pgod-build, with the reason in "problem".
constexpr int no_jail = 70;
constexpr int over_limit = 71;

// Inside the jail.
constexpr const char* store_inside = "/build/store";
constexpr const char* out_inside = "/build/out";
constexpr const char* images_inside = "/build/images";
constexpr const char* registries_inside = "/root/.config/containers/registries.conf.d/pgod.conf";

std::map<std::string, std::string> arguments_of(const PlannedBuild& build) {
    std::map<std::string, std::string> values;
    for (const auto& option : build.options)
        if (const auto equals = option.value.find('=');
            option.flag == "--build-arg" && equals != std::string::npos)
            values[option.value.substr(0, equals)] = option.value.substr(equals + 1);
    return values;
}

Error not_named() {
    return {Code::internal, "podman build did not name its image"};
}

class Builder {
  public:
    Builder(const Work& work, const ImageStore& store, Clock::time_point deadline)
        : work_(work)
        , store_(store)
        , deadline_(deadline)
        , saved_("pgod/" + work.job.service) {}

    Status prepare() {
        for (const char* name : {"build/root", "build/store", "build/cache", "build/out"})
            (void)TRY(work_.directory.make_directory(name));
        reserve_ = TRY(build_reserve(work_));
        // A build that was ended leaves a half-made layer, which podman does not remove.
        renew_ = os::read_file_beneath(work_.directory.fd(), unfinished, max_small_file).has_value();
        return clear_out();
    }

    // The ids of the images that the build starts from. base_images() can name one that the build does not
    // need, so an image that no registry gives ends the build only when the build fails as well.
    Result<std::vector<std::string>> fetch_bases(const PlannedBuild& build, const Plan& plan) {
        const Fd stage = TRY(work_.directory.open_directory("stage"));
        const std::string stage_path = work_.directory.path_of("stage") + "/";
        if (!build.file.starts_with(stage_path))
            return Error{Code::permanent, "the Containerfile is not in the repository"};
        const auto text = TRY_DOING(
            os::read_file_beneath(stage.get(), build.file.substr(stage_path.size()), max_containerfile),
            "Containerfile");
        std::vector<std::string> ids;
        BaseNames names(work_.podman, plan, build);
        for (const auto& written : base_images(text, arguments_of(build))) {
            const std::string image = TRY(names.complete(written));
            auto found = TRY(work_.podman.images({&image, 1}));
            if (found.empty() && !image.starts_with("localhost/")) {
                TRY(try_pull(image));
                found = TRY(work_.podman.images({&image, 1}));
            }
            for (const auto& [name, one] : found)
                ids.push_back(one.id);
        }
        if (names.made_by_another_build())
            missing_ = names.made_by_another_build();
        const Fd directory = TRY(work_.directory.make_directory("build"));
        TRY(os::write_file_atomically(directory.get(), "registries.conf", names.settings(), 0600));
        return ids;
    }

    // Layers in the service's store lie on layers of the images that its builds have seen. When one of these
    // images is gone, the next build empties the store first.
    Status show_bases(std::vector<std::string> ids) {
        std::vector<std::string> before;
        if (const auto text = os::read_file_beneath(work_.directory.fd(), "build/bases", max_small_file))
            for (const auto id : split(*text, '\n'))
                if (!id.empty())
                    before.emplace_back(id);
        const auto found = TRY(work_.podman.images(before));
        renew_ = renew_ || found.size() != before.size() || before.size() + ids.size() > max_bases;
        if (!renew_)
            ids.insert(ids.end(), before.begin(), before.end());
        std::sort(ids.begin(), ids.end());
        ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
        shown_ = TRY(show_images(work_, store_, ids, images_inside));
        std::string text;
        for (const auto& id : ids)
            text += id + "\n";
        const Fd directory = TRY(work_.directory.make_directory("build"));
        return os::write_file_atomically(directory.get(), "bases", text, 0600);
    }

    Result<std::string> build(const PlannedBuild& build, const std::string& tag,
                              const std::function<void(std::string_view)>& on_output) {
        Argv arguments = build_call(build, tag, host_gateway_of_builds());
        arguments.insert(arguments.begin() + 1,
                         {"--network=host", "--cap-drop=NET_ADMIN", "--cap-drop=NET_RAW", // jail/network.hpp
                          fmt::format("--iidfile={}/id", out_inside)});
        Argv words;
        if (renew_)
            words = {"/usr/bin/find", store_inside, "-mindepth", "1", "-delete", ";"};
        append(words, arguments);
        auto call = bounded(call_of(std::move(words)));
        Tail last;
        call.on_output = [&](std::string_view bytes) {
            on_output(bytes);
            last.append(bytes);
        };
        const Fd directory = TRY(work_.directory.make_directory("build"));
        TRY(os::write_file_atomically(directory.get(), "unfinished", "", 0600));
        auto ran = run(call, last);
        if (ended_ || (!ran && is_nearly_full()))
            empty_store();
        else
            (void)::unlinkat(directory.get(), "unfinished", 0);
        if (!ran)
            return ran.error().code == Code::permanent && missing_ && !ended_ ? *missing_ : ran.error();
        const Fd out = TRY(work_.directory.open_directory("build/out"));
        const std::string text = TRY(os::read_file_beneath(out.get(), "id", max_small_file));
        const auto id = bare_id(trimmed(text));
        if (!is_object_name(id))
            return not_named();
        return std::string(id);
    }

    // Moves the image from the service's store into the user's, by its id. No name that the jail chose comes
    // along.
    Status hand_over(const std::string& id) {
        Argv words;
        append(words, {"save", "--quiet", "--format=oci-dir", "--uncompressed",
                       fmt::format("--output={}/{}", out_inside, saved_), id});
        words.emplace_back(";");
        append(words, {"image", "prune", "--force"});
        (void)TRY(work_.directory.make_directory("build/out/pgod"));
        auto call = bounded(call_of(std::move(words)));
        Tail last;
        call.on_output = [&last](std::string_view bytes) {
            last.append(bytes);
        };
        TRY_DOING(run(call, last), "take the image out of the build");
        TRY(check_copy());
        TRY(drop_names(work_.directory, "build/out/" + saved_));
        Podman::Call pull;
        pull.arguments = {"pull", "--quiet", "oci:" + saved_};
        pull.directory = work_.directory.path_of("build/out");
        pull.deadline = left(longest_transfer);
        pull.ends_with_us = true;
        (void)TRY(work_.podman.must(pull, "keep the built image", Code::transient));
        // podman names it after the directory, here with a name of ours, which would outlive our tags.
        Podman::Call untag;
        untag.arguments = {"untag", id};
        (void)TRY(work_.podman.must(untag, "take its name from the built image", Code::transient));
        return clear_out();
    }

    // A half-made copy would fill the disk until the next build.
    void give_up() {
        (void)clear_out();
        if (ended_)
            empty_store();
    }

  private:
    std::chrono::milliseconds left(std::chrono::milliseconds longest) const {
        return std::clamp<std::chrono::milliseconds>(
            std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now()), 1s, longest);
    }

    Podman::Call bounded(Podman::Call call) {
        if (!limit_)
            limit_.emplace(find_memory_limit());
        if (const auto& limit = *limit_) {
            call.jail.insert(call.jail.end(), {"--memory", std::to_string(limit->bytes)});
            call.jail.insert(call.jail.begin(), limit->scope.begin(), limit->scope.end());
        }
        call.jail.insert(call.jail.end(), {"--reserve", work_.directory.path_of("build/store"),
                                           std::to_string(reserve_.bytes), std::to_string(reserve_.inodes)});
        return call;
    }

    // Layers of builds that failed are never pruned, and would keep everybody else's builds from beginning.
    bool is_nearly_full() const {
        struct statvfs found {};
        return ::fstatvfs(work_.directory.fd(), &found) == 0 &&
               static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize < 2 * reserve_.bytes;
    }

    // podman writes a copy of each layer beside the one that it keeps.
    Status check_copy() const {
        const std::uint64_t size = TRY(size_of_image(work_.directory, "build/out/" + saved_));
        struct statvfs found {};
        if (::statvfs(store_.root.c_str(), &found) != 0)
            return errno_error("look for free space at " + escaped(store_.root));
        const std::uint64_t free = static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
        if (free >= 2 * size + reserve_.bytes)
            return ok();
        return Error{
            Code::permanent,
            fmt::format("the image takes {} MiB, and {} MiB are free at {}: too few to copy it there; "
                        "make the image smaller, or make room and run \"retry\"",
                        size >> 20, free >> 20, escaped(store_.root))};
    }

    Status clear_out() const {
        const Fd directory = TRY(work_.directory.make_directory("build"));
        TRY(os::remove_tree(directory.get(), "out"));
        (void)TRY(work_.directory.make_directory("build/out"));
        return ok();
    }

    // An Error only for a registry that stalls: the build would wait for it once more.
    Status try_pull(const std::string& image) {
        work_.progress("pull");
        work_.output.say(fmt::format("pulling {}", image));
        Podman::Call call;
        call.arguments = {"pull", "--quiet", "--", image};
        call.deadline = left(longest_transfer);
        call.registry_auth = work_.job.registry_auth;
        call.ends_with_us = true;
        auto pulled = work_.podman.must(call, "pull " + image, Code::transient);
        work_.progress("build");
        if (pulled)
            return ok();
        Error error = std::move(pulled).error();
        const bool stalled = error.code == Code::timeout;
        error.code = Code::transient; // as for `image:`; the registry may have it tomorrow
        if (stalled)
            return error;
        if (!missing_)
            missing_ = std::move(error);
        return ok();
    }

    // podman, as it runs inside.
    void append(Argv& words, const Argv& arguments) const {
        for (const auto& word :
             {std::string("/usr/bin/podman"), fmt::format("--root={}", store_inside),
              std::string("--runroot=/run/containers"), "--storage-driver=" + store_.driver,
              fmt::format("--storage-opt={}.imagestore={}", store_.driver, images_inside),
              std::string("--cgroup-manager=cgroupfs"), "--runtime=" + store_.runtime,
              std::string("--events-backend=none")})
            words.push_back(word);
        if (!store_.mount_program.empty())
            words.push_back("--storage-opt=overlay.mount_program=" + store_.mount_program);
        words.insert(words.end(), arguments.begin(), arguments.end());
    }

    Podman::Call call_of(Argv words) const {
        Podman::Call call;
        call.arguments = std::move(words);
        call.deadline = left(24h);
        call.ends_with_us = true;
        call.jail = {work_.job.builder,
                     "--uids",
                     store_.uids,
                     "--gids",
                     store_.gids,
                     "--root",
                     work_.directory.path_of("build/root"),
                     "--problem",
                     work_.directory.path_of("build/out/problem"),
                     "--processes",
                     std::to_string(max_processes)};
        const auto bind = [&call](const char* how, const std::string& from, const std::string& onto) {
            call.jail.insert(call.jail.end(), {how, from, onto});
        };
        bind("--keep", work_.directory.path_of("build/store"), store_inside);
        bind("--keep", work_.directory.path_of("build/cache"), "/var/tmp");
        bind("--keep", work_.directory.path_of("build/out"), out_inside);
        const std::string stage = work_.directory.path_of("stage");
        bind("--show", stage, stage);
        bind("--show", work_.directory.path_of("build/images"), images_inside);
        bind("--show", work_.directory.path_of("build/registries.conf"), registries_inside);
        for (const auto& [from, onto] : shown_)
            bind("--show", from, onto);
        return call;
    }

    // A build that pgod ended may have filled the disk, and nobody knows when the next one comes.
    void empty_store() const {
        auto call = call_of({"/usr/bin/find", store_inside, "/var/tmp", "-mindepth", "1", "-delete"});
        call.deadline = longest_cleaning;
        if (auto emptied = work_.podman.call(call); emptied && emptied->exit_code == 0)
            (void)::unlinkat(work_.directory.fd(), unfinished, 0);
    }

    Status run(const Podman::Call& call, const Tail& last) {
        const Fd out = TRY(work_.directory.open_directory("build/out"));
        (void)::unlinkat(out.get(), "problem", 0);
        auto answered = work_.podman.call(call);
        if (!answered) {
            ended_ = true;
            Error error = std::move(answered).error();
            if (error.code == Code::timeout)
                error.code = Code::permanent; // the same files would take as long again
            return error;
        }
        const auto& answer = *answered;
        if (answer.exit_code == 0)
            return ok();
        const auto why = os::read_file_beneath(out.get(), "problem", max_small_file);
        if (!why) // systemd-run, which starts pgod-build within the memory limit
            return Error{Code::transient, "a build cannot begin: " + problem_of(last.text())};
        if (answer.exit_code == over_limit) {
            ended_ = true;
            return Error{Code::permanent, // nothing in it: it could not be written
                         why->empty() ? "it filled the disk, and pgod ended it"
                                      : shortened(escaped(*why), 400)};
        }
        if (answer.exit_code == no_jail)
            return Error{Code::transient, "a build cannot be confined: " + shortened(escaped(*why), 400)};
        return Error{Code::permanent, problem_of(last.text())};
    }

    const Work& work_;
    const ImageStore& store_;
    Clock::time_point deadline_;
    const std::string saved_; // beneath build/out
    std::optional<std::optional<MemoryLimit>> limit_;
    SpaceReserve reserve_;
    bool renew_ = false;
    bool ended_ = false;           // by a deadline, a limit or a signal, not by itself
    std::optional<Error> missing_; // why the first base image that could not be pulled was not
    Shown shown_;
};

} // namespace

Result<FoundImage> build_in_jail(const Work& work, const ImageStore& store, const Plan& plan,
                                 const PlannedBuild& build, const std::string& tag,
                                 std::chrono::milliseconds deadline,
                                 const std::function<void(std::string_view)>& on_output) {
    Builder builder(work, store, Clock::now() + deadline);
    TRY(builder.prepare());
    auto bases = TRY(builder.fetch_bases(build, plan));
    TRY(builder.show_bases(std::move(bases)));
    const std::string id = TRY(builder.build(build, tag, on_output));
    auto known = TRY(work.podman.images({&id, 1}));
    // The jail wrote the id. It must not be a name, or the beginning of the id, of another image of the user.
    if (!known.empty() && bare_id(known[id].id) != id)
        return not_named();
    if (known.empty())
        if (auto handed = builder.hand_over(id); !handed) {
            builder.give_up();
            return std::move(handed).error();
        }
    Podman::Call call;
    call.arguments = {"tag", id, tag};
    (void)TRY(work.podman.must(call, "tag the built image", Code::transient));
    return FoundImage{id, known.empty() ? std::vector<std::string>() : std::move(known[id].tags)};
}

} // namespace pgod::compose
