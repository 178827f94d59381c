// spawn(): the one way a process is started. The program is an absolute path, argv an array, the environment
// exactly what is given; there is no shell. The child becomes leader of its own session and process group,
// gets /dev/null where no descriptor is given for 0, 1 and 2, default signal dispositions, and nothing else
// that was open. Its identity is applied in one function (drop.hpp) that verifies itself and fails closed.
//
// Whoever a process became can stop it (SIGSTOP) or let it hang in a file system of his own (FUSE). So
// nothing here waits for a process with another identity: the identity is applied last, only execve follows,
// and the parent is told before.
#pragma once

#include "base/fd.hpp"
#include "base/identity.hpp"
#include "base/result.hpp"

#include <sys/resource.h>

#include <optional>
#include <string>
#include <vector>

namespace pgod::os {

struct ResourceLimit {
    int resource = 0; // RLIMIT_…
    rlim_t value = 0; // soft and hard
};

struct SpawnRequest {
    std::string program;            // absolute path
    std::vector<std::string> argv;  // argv[0] included
    std::vector<std::string> env;   // NAME=value
    std::string directory = "/";    // only "/" with `become`: a user's directory can make us hang
    std::optional<Identity> become; // absent: stay who we are
    struct Descriptor {
        int from = -1; // ours
        int to = -1;   // in the child
    };
    std::vector<Descriptor> descriptors;
    // In a mount namespace of its own, which goes with it, the file `from` stands where the file `onto` is.
    // Root only; nobody else sees it, whatever happens.
    struct Overlay {
        std::string from;
        std::string onto;
    };
    std::optional<Overlay> overlay;
    std::vector<ResourceLimit> limits;
    bool no_new_privileges = false; // never for podman: rootless needs newuidmap
    bool die_with_parent = false;   // SIGKILL when the parent's thread ends
    bool owns_terminal = false;     // its standard input is the terminal that controls it
    mode_t umask = 077;
};

// A child that was started and is not reaped yet. Destroying it kills its process group and reaps it;
// release() gives that up (a worker outlives its supervisor).
class Child {
  public:
    Child() = default;
    Child(pid_t pid, Fd pidfd) noexcept
        : pid_(pid)
        , pidfd_(std::move(pidfd)) {}
    Child(Child&& other) noexcept;
    Child& operator=(Child&& other) noexcept;
    ~Child();

    explicit operator bool() const noexcept { return pid_ > 0; }
    pid_t pid() const noexcept { return pid_; }
    int pidfd() const noexcept { return pidfd_.get(); } // readable when the child ended

    void signal_group(int signal) const noexcept; // safe: an unreaped leader's group id is not reused
    std::optional<int> try_reap() noexcept;       // wait status, once
    int reap() noexcept;                          // blocks
    void release() noexcept { pid_ = -1; }
    // SIGKILL to its group, and reaped if it is gone already; never blocks. What is not gone stays unreaped
    // until we end: for the rare paths on which a process of another identity cannot be watched to its end.
    void kill_and_forget() noexcept;

  private:
    pid_t pid_ = -1;
    Fd pidfd_;
};

// Code::gone when the program does not exist; the message names the step that failed in the child. With
// `become`, what fails once the identity is being applied is told by the exit status instead: not_started.
Result<Child> spawn(const SpawnRequest& request);

inline constexpr int not_started = 127; // exit status

// Raises our soft limit of open descriptors to the hard one (getrlimit(2)); children still get the soft limit
// that we were started with, since select(2) cannot name descriptors above 1023. Call it once, at the start.
void raise_descriptor_limit() noexcept;

// "exited with status 3" or "killed by signal 9 (Killed)".
std::string describe_wait_status(int wait_status);
// 0…255 of a normal exit, 128 + signal otherwise.
int exit_code_of(int wait_status) noexcept;

} // namespace pgod::os
