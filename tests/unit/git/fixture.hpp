// A service's directory and its upstream, made with the git command line in a fresh temporary directory.
#pragma once

#include "git/export.hpp"
#include "git/sync.hpp"

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace pgod::test {

inline constexpr std::string_view key_blob =
    "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
std::string key_line(std::string_view comment);

class Fixture {
  public:
    Fixture();
    ~Fixture();
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;

    // Runs git in the upstream; its trimmed output. A failure ends the test.
    std::string git(std::vector<std::string> args, std::string_view input = {}) const;
    void write(const std::string& path, std::string_view text) const; // in the upstream's work tree
    std::string commit(const std::string& message) const;             // everything; its id
    // Plumbing for trees that no work tree could hold: lines as git ls-tree prints them.
    std::string blob(std::string_view text) const;
    std::string tree(std::string_view lines) const;
    std::string commit_tree(const std::string& tree) const; // becomes the tip of main

    git::SyncRequest request() const;
    SyncResult sync(const std::string& known = {}) const;
    ExportResult export_commit(const std::string& commit, const git::ExportLimits& limits = {}) const;

    std::filesystem::path root;
    std::filesystem::path upstream; // a repository with a work tree, on branch main
    std::filesystem::path service;
    std::filesystem::path local; // the service's repo.git
    std::filesystem::path stage; // what export_commit() makes
};

std::string slurp(const std::filesystem::path& path);
bool any_contains(const std::vector<std::string>& sentences, std::string_view part);

} // namespace pgod::test
