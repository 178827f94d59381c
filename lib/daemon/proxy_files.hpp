// The files of `[proxy]`, and the commands that judge and load them. Root only; no byte of them is parsed
// here.
//
// The proxy's own check reads the whole real configuration, in a mount namespace of the checking process
// alone, in which the candidate stands where the file is. So what is judged is exactly what would be loaded,
// includes of includes and wildcards and all, while the file itself, which somebody may reload or restart at
// any moment, holds what was good before: also when pgod, the check or the host is killed in the midst. The
// file is then replaced by rename(2).
#pragma once

#include "core/proxy.hpp"
#include "os/spawn.hpp"

#include <optional>
#include <string>

namespace pgod::daemon {

class ProxyFiles {
  public:
    ProxyFiles(ProxySettings settings, const std::string& state_directory);

    const ProxySettings& settings() const noexcept { return settings_; }

    Result<std::optional<std::string>> present() const; // none: there is no such file
    std::optional<std::string> loaded() const;          // what the proxy was last made to read
    Status write(const std::string& text) const;
    Status note_loaded(const std::string& text) const;

    // The proxy's check of its configuration with `text` as the file, or of what is there now.
    Result<os::SpawnRequest> check_of(const std::string& text) const;
    Result<os::SpawnRequest> check() const;
    Result<os::SpawnRequest> reload() const;

  private:
    Result<os::SpawnRequest> command(const std::vector<std::string>& argv) const;

    ProxySettings settings_;
    std::string own_; // directory: what was loaded, and the candidate
};

} // namespace pgod::daemon
