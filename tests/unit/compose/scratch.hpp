// A directory of its own for one test case, and files in it by path.
#pragma once

#include "base/fd.hpp"

#include <fcntl.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

class Scratch {
  public:
    Scratch() {
        std::string name = (std::filesystem::temp_directory_path() / "pgod-compose-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() { std::filesystem::remove_all(path_); }

    std::filesystem::path path(const std::string& name = "") const { return path_ / name; }

    void write(const std::string& name, const std::string& text) const {
        std::filesystem::create_directories(path(name).parent_path());
        std::ofstream(path(name), std::ios::trunc) << text;
    }
    // The whole tree anew: every file of a commit.
    void commit(const std::string& directory, const std::map<std::string, std::string>& files) const {
        std::filesystem::remove_all(path(directory));
        std::filesystem::create_directories(path(directory));
        for (const auto& [name, text] : files)
            write(directory + "/" + name, text);
    }
    std::string read(const std::string& name) const {
        std::ifstream file(path(name));
        return {std::istreambuf_iterator<char>(file), {}};
    }
    // Relative path → text, links as "-> target".
    std::map<std::string, std::string> files(const std::string& directory) const {
        std::map<std::string, std::string> found;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path(directory))) {
            const std::string name = entry.path().lexically_relative(path(directory)).string();
            if (entry.is_symlink())
                found[name] = "-> " + std::filesystem::read_symlink(entry.path()).string();
            else if (entry.is_regular_file())
                found[name] = read(directory + "/" + name);
        }
        return found;
    }
    pgod::Fd open(const std::string& directory) const {
        std::filesystem::create_directories(path(directory));
        return pgod::Fd(::open(path(directory).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }

  private:
    std::filesystem::path path_;
};
