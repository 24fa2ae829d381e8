#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

namespace cameleer::engines {

/// Processes whose working directory is `cluster`: a postmaster and its children stand in their data directory, so this
/// finds a living predecessor without trusting the number in postmaster.pid, which another program may have by now.
std::vector<pid_t> processes_in(const std::string& cluster);

/// The number in the first line of `cluster`/postmaster.pid; 0: none.
pid_t postmaster_of(const std::string& cluster);

/// Where the server's socket goes: `<data_dir>/run` when the socket's path fits its 107 bytes, else
/// `/tmp/cameleer-<number made from data_dir>`.
std::string socket_directory(const std::string& data_dir);

}  // namespace cameleer::engines
