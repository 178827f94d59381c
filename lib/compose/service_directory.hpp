// ServiceDirectory: the one place on disk that belongs to a service (0700, its user's). What is in it:
//   repo.git    the bare repository                                  (git jobs write it)
//   stage       the exported commit; podman-compose reads only this  (git jobs write it)
//   tree        the work tree: the stable directory that bind mounts point into
//   record      what runs: record.json, and files/, a private copy of the tracked files
//   incoming    the same for the commit that is being deployed; it becomes `record` when that went well
//   kept-N      the same for the good releases before, by the number of their deployment
//   unfinished-N  an `incoming` that a crash or a failed first deployment left: its files are ours as well
//   mounted     copies of single files that containers mount: nested_mounts.hpp
//   build       the images and layers of the service's builds: build.hpp
//   log         the text of the last deployments
//   lock        held (flock) by whoever changes something here
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace pgod::compose {

class ServiceDirectory {
  public:
    static Result<ServiceDirectory> open(const std::string& path);

    // Absolute and without links.
    const std::string& path() const noexcept { return path_; }
    int fd() const noexcept { return fd_.get(); }
    std::string path_of(const std::string& name) const { return path_ + "/" + name; }

    // A directory beneath, as "record/files"; Code::gone when it is missing.
    Result<Fd> open_directory(const std::string& name) const;
    Result<Fd> make_directory(const std::string& name) const;
    Status remove(const std::string& name) const;
    Status rename(const std::string& from, const std::string& to) const;
    Status exchange(const std::string& one, const std::string& other) const;
    bool has(const std::string& name) const noexcept;

    // Held until the descriptor is closed; Code::timeout when somebody else holds it past the deadline.
    Result<Fd> lock(std::chrono::steady_clock::time_point deadline) const;

  private:
    ServiceDirectory(std::string path, Fd fd)
        : path_(std::move(path))
        , fd_(std::move(fd)) {}
    std::string path_;
    Fd fd_;
};

} // namespace pgod::compose
