// Subreaper: while it exists, processes that lose their parent beneath this one become its children instead
// of init's, so that what a killed podman leaves running can be found and ended without guessing by name or
// group.
#pragma once

namespace pgod::compose {

class Subreaper {
  public:
    Subreaper() noexcept;
    Subreaper(const Subreaper&) = delete;
    Subreaper& operator=(const Subreaper&) = delete;
    ~Subreaper();

    // SIGKILL to every child, and to those that become ours by it, until none is left; at most 5 s. Only
    // where no child is meant to live on.
    void end_descendants() const;
};

} // namespace pgod::compose
