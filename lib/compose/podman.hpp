// Podman: rootless podman as the service's user, called directly. Every call has a deadline and its own
// status; what failed is one sentence (problem.hpp).
#pragma once

#include "base/result.hpp"
#include "compose/container.hpp"
#include "core/plan.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::compose {

struct PodmanAnswer {
    int exit_code = 0;
    std::string output;
    std::string problem; // empty when exit_code is 0
};

struct FoundImage {
    std::string id;
    std::vector<std::string> tags;
};

// "sha256:12ab…" → "12ab…". podman names the algorithm at some places only; nothing else of an id is read.
std::string_view bare_id(std::string_view id) noexcept;

struct FoundNetwork {
    bool internal = false;
    bool dns_enabled = false;
    std::string project; // label io.podman.compose.project
    std::string owner;   // label pgod.service
    std::string options; // label pgod.options: what it was made with, options_text()
    std::vector<std::string> subnets;
};

class Podman {
  public:
    // `mark`: a variable for the calls that outlive us, by which they are found again (leftover.hpp).
    static Result<Podman> find(std::vector<std::string> environment, std::string mark);

    // An Error only when podman could not be run or did not end in time; its exit status is in the answer.
    // `ends_with_us`: podman dies with this process, for calls that change nothing.
    struct Call {
        Argv arguments;
        std::chrono::milliseconds deadline{60'000};
        std::function<void(std::string_view)> on_output;
        bool ends_with_us = false;
        std::string directory = "/";
        int registry_auth = -1; // open: podman's REGISTRY_AUTH_FILE
        int env_file = -1;      // open: the arguments name it as `env_file_path`
        Argv jail = {}; // pgod-build and its options: `arguments` are then whole commands, which run in it
    };
    static constexpr const char* env_file_path = "/proc/self/fd/4";
    Result<PodmanAnswer> call(const Call& call) const;
    // As call(), with a non-zero exit as Error of this code, said as "DOING: problem".
    Result<std::string> must(const Call& call, std::string_view doing, Code code = Code::permanent) const;

    Result<std::vector<Container>> containers() const; // all of the user's
    Result<std::map<std::string, FoundImage>>
    images(std::span<const std::string> names) const; // those that exist
    Result<std::map<std::string, FoundNetwork>> networks() const;
    Result<std::map<std::string, std::string>> volumes() const; // name → label pgod.service

    const std::string& program() const noexcept { return program_; }
    const std::vector<std::string>& environment() const noexcept { return environment_; }

  private:
    Podman(std::string program, std::vector<std::string> environment, std::string mark)
        : program_(std::move(program))
        , environment_(std::move(environment))
        , mark_(std::move(mark)) {}
    std::string program_;
    std::vector<std::string> environment_;
    std::string mark_;
};

// The variable by which systemd-run(1) finds the user's systemd; a jail does not see the path in it.
std::string bus_of_user();

} // namespace pgod::compose
