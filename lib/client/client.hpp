// pgoctl from its command line to its exit status. Runs as the person, or the CI job, who types it.
#pragma once

namespace pgod::client {

int run_client(int argc, const char* const* argv); // core/exit_status.hpp

} // namespace pgod::client
