#include "options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <fstream>

namespace cameleer::engine {
namespace {

bool read_listen(const std::string& text, Options& options) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return false;
  options.host = text.substr(0, colon);
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + colon + 1, end, options.port);
  return read.ec == std::errc{} && read.ptr == end;
}

bool read_password(const std::string& file, Options& options) {
  std::ifstream in(file);
  return static_cast<bool>(std::getline(in, options.password)) && !options.password.empty();
}

}  // namespace

std::expected<Options, int> parse_options(int argc, char** argv) {
  Options options;
  std::string listen = "127.0.0.1:0";
  std::string password_file;
  std::int64_t lock_wait = options.lock_wait.count();
  CLI::App app("The ClickHouse engine (libchdb) behind ClickHouse's HTTP interface on loopback");
  app.set_version_flag("--version", CAMELEER_VERSION);
  app.add_option("--library", options.library, "libchdb.so, version 26.7 or later")->required();
  app.add_option("--path", options.path, "Data directory, absolute; made when missing")->required();
  app.add_option("--listen", listen, "127.0.0.1:PORT; port 0 takes a free one. `listening 127.0.0.1:PORT` is printed");
  app.add_option("--user", options.user, "User name that clients present");
  app.add_option("--password-file", password_file, "File whose first line is the password; none: everyone may ask");
  app.add_option("--max-memory", options.max_memory, "Bytes that queries and caches may take")
      ->transform(CLI::AsSizeValue(false));
  app.add_option("--mark-cache", options.mark_cache, "Bytes of the mark cache")->transform(CLI::AsSizeValue(false));
  app.add_option("--max-connections", options.max_connections, "More are answered 503")->check(CLI::Range(1, 1024));
  app.add_option("--log-level", options.log_level, "Of the engine's own lines on stderr")
      ->check(
          CLI::IsMember({"none", "fatal", "critical", "error", "warning", "notice", "information", "debug", "trace"}));
  app.add_option("--lock-wait-ms", lock_wait, "How long a predecessor may hold the directory")
      ->check(CLI::Range(0, 60000));
  app.add_option("--parent-pid", options.parent, "Die with this process, which must be the parent");
  app.add_flag("--durable", options.durable, "Sync every insert to disk: survives power loss, at half the speed");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return std::unexpected(app.exit(error));
  }
  options.lock_wait = std::chrono::milliseconds(lock_wait);
  const auto refuse = [](const std::string& sentence) {
    fmt::print(stderr, "error: {}\n", sentence);
    return std::unexpected(2);
  };
  if (!options.path.starts_with('/')) return refuse("--path must be absolute: " + options.path);
  if (!read_listen(listen, options)) return refuse("--listen must be ADDRESS:PORT: " + listen);
  if (!password_file.empty() && !read_password(password_file, options)) {
    return refuse("--password-file has no password in its first line: " + password_file);
  }
  return options;
}

}  // namespace cameleer::engine
