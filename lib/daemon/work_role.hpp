// The work role: pgod-work, one process per deployment or operation, as the service's user. It takes one
// WorkJob from a sealed file, does it with lib/compose and reports over a pipe. A pipe that closes (pgod was
// killed or restarted) is no reason to stop: what it leaves in the service's directory is taken up later.
#pragma once

#include <cstddef>
#include <string>

namespace pgod::daemon {

// What a worker gets beside its standard descriptors and those of secret_files.hpp.
inline constexpr int work_order_descriptor = 3;  // a WorkRequest
inline constexpr int work_report_descriptor = 6; // WorkReport frames, as os/frame_pipe.hpp has them
inline constexpr int work_gate_descriptor = 7;   // of a deployment: ends when what runs may be changed
inline constexpr std::size_t max_work_order = std::size_t{128} * 1024;

// The exit status of the process; the job's own is in its WorkDone.
int run_work_role();

// `pgod-work --read`, by hand: compose/read_directory.hpp.
int read_directory(const std::string& directory, const std::string& project);

} // namespace pgod::daemon
