#pragma once
#include <chrono>
#include <cstdint>
#include <expected>
#include <string>

namespace cameleer::engine {

/// What the command line says; see `--help`.
struct Options {
  std::string library;
  std::string path;
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::string user = "default";
  std::string password;
  std::string log_level = "warning";
  std::uint64_t max_memory = 1ULL << 30;    ///< bytes of tracked memory; the process takes about 250 MB more
  std::uint64_t mark_cache = 128ULL << 20;  ///< bytes
  std::size_t max_connections = 64;
  std::chrono::milliseconds lock_wait{10'000};
  int parent = 0;
  bool durable = false;
};

/// The error is an exit status; its sentence has been printed.
std::expected<Options, int> parse_options(int argc, char** argv);

}  // namespace cameleer::engine
