#include "postgres_leftovers.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "private_directory.hpp"

namespace cameleer::engines {
namespace {

namespace fs = std::filesystem;

/// Of sockaddr_un's 108 bytes one is the end; the socket's own name and its lock's suffix come behind the directory.
constexpr std::size_t max_socket_path = 107;
constexpr std::string_view socket_name = "/.s.PGSQL.5432.lock";

pid_t number_in(std::string_view text) {
  pid_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::vector<pid_t> processes_in(const std::string& cluster) {
  std::vector<pid_t> found;
  std::error_code ignored;
  const fs::path wanted = fs::canonical(cluster, ignored);
  if (ignored) return found;
  for (fs::directory_iterator at("/proc", ignored), end; at != end; at.increment(ignored)) {
    const pid_t pid = number_in(at->path().filename().native());
    if (pid <= 0) continue;
    const fs::path directory = fs::read_symlink(at->path() / "cwd", ignored);
    if (!ignored && directory == wanted) found.push_back(pid);
  }
  return found;
}

pid_t postmaster_of(const std::string& cluster) {
  return number_in(read_first_line(cluster + "/postmaster.pid"));
}

std::string socket_directory(const std::string& data_dir) {
  std::string beside = data_dir + "/run";
  if (beside.size() + socket_name.size() <= max_socket_path) return beside;
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a: a short name, not a secret
  for (const char c : data_dir) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return fmt::format("/tmp/cameleer-{:016x}", hash);
}

}  // namespace cameleer::engines
