// The work role: pgod-work, one process per deployment or operation, as the service's user. It takes one
// WorkJob from its channel, does it with lib/compose and reports. A channel that closes (pgod was killed or
// restarted) is no reason to stop: what it leaves in the service's directory is taken up later.
#pragma once

namespace pgod::daemon {

// The exit status of the process; the job's own is in its WorkDone.
int run_work_role();

} // namespace pgod::daemon
