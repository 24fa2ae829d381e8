#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "agent-sim/check.hpp"
#include "agent-sim/conformance.hpp"
#include "agent-sim/load.hpp"

namespace cameleer::sim {
namespace {

constexpr int kUsage = 2, kFailed = 1;

int complain(const std::string& sentence, int code) {
  fmt::print(stderr, "agent-sim: {}\n", sentence);
  return code;
}

/// What the modes need to reach a server. Secrets come from the environment or a file rather than from the command
/// line, where every user of the machine reads them.
struct Access {
  std::string url = "http://127.0.0.1:8081";
  std::string api_key, api_key_file, environment = "default";
  std::string username = "admin", password, secrets_file;
};

void add_agent_access(CLI::App& app, Access& access) {
  app.add_option("--url", access.url, "The server")->capture_default_str();
  app.add_option("--api-key", access.api_key, "API key of the environment")->envname("CAMELEER_API_KEY");
  app.add_option("--api-key-file", access.api_key_file, "File that holds the API key");
  app.add_option("--secrets", access.secrets_file, "The server's first-start.txt: API key, user name and password");
  app.add_option("--environment", access.environment, "Environment of the agents")->capture_default_str();
}

void add_admin_access(CLI::App& app, Access& access) {
  app.add_option("--username", access.username, "User of the REST API")->capture_default_str();
  app.add_option("--password", access.password, "Its password")->envname("CAMELEER_PASSWORD");
}

void add_store_access(CLI::App& app, StoreAccess& store) {
  app.add_option("--store", store.url, "The server's ClickHouse: every row is read and compared, not only the sample");
  app.add_option("--store-user", store.user)->capture_default_str();
  app.add_option("--store-password", store.password)->envname("CAMELEER_STORE_PASSWORD");
  app.add_option("--store-database", store.database)->capture_default_str();
}

/// Lines `name=value` of the server's first-start file.
bool read_secrets(Access& access) {
  if (access.secrets_file.empty()) return true;
  std::ifstream file(access.secrets_file);
  for (std::string line; std::getline(file, line);) {
    const auto value = line.substr(std::min(line.find('=') + 1, line.size()));
    if (line.starts_with("api-key=") && access.api_key.empty()) access.api_key = value;
    if (line.starts_with("username=")) access.username = value;
    if (line.starts_with("password=") && access.password.empty()) access.password = value;
  }
  return file.eof();
}

/// The endpoint; completes the secrets from their files.
Expected<web::Endpoint> settle(Access& access) {
  if (!read_secrets(access)) return fail(ErrorCode::not_found, "Cannot read " + access.secrets_file + ".");
  if (!access.api_key_file.empty()) {
    std::ifstream file(access.api_key_file);
    if (!(file >> access.api_key)) return fail(ErrorCode::not_found, "Cannot read " + access.api_key_file + ".");
  }
  return web::Endpoint::parse(access.url);
}

struct LoadLine {
  LoadOptions options;
  std::string payload = "none", encoding = "identity";
  std::uint64_t seconds = 0;
  std::int64_t skew_ms = 0, slow_ms = 0, timeout_ms = 0, give_up_seconds = 300;
};

void add_workload(CLI::App& app, LoadLine& line) {
  auto& options = line.options;
  app.add_option("--payload", line.payload, "Bodies of exchanges and processors: none, 2x200 or 2x1k")
      ->capture_default_str();
  app.add_option("--processors-per-execution", options.workload.processors_per_execution)
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app.add_option("--error-rate", options.workload.error_rate, "Share of executions that fail")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--batch", options.batch, "Executions in a request")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--seed", options.workload.seed, "The same seed gives the same ids and contents")
      ->capture_default_str();
}

void add_load(CLI::App& app, LoadLine& line, Access& access) {
  auto& options = line.options;
  add_agent_access(app, access);
  add_workload(app, line);
  app.add_option("--agents", options.agents)->check(CLI::Range(1, 10'000))->capture_default_str();
  app.add_option("--connections-per-agent", options.connections_per_agent)
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--rate", options.rate, "Executions a second over all agents; 0: as fast as they are acknowledged")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--duration", line.seconds, "Seconds");
  app.add_option("--count", options.count, "Executions");
  app.add_option("--encoding", line.encoding, "identity, gzip or zstd")->capture_default_str();
  app.add_option("--ledger", options.ledger, "New file for what was acknowledged");
  app.add_option("--reconnect-every", options.reconnect_every,
                 "Chaos: new connections after so many requests of an agent");
  app.add_option("--duplicate-rate", options.duplicate_rate, "Chaos: share of requests sent twice")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--clock-skew", line.skew_ms, "Chaos: the agents' clocks are ahead by so many ms");
  app.add_option("--slow-read", line.slow_ms, "Chaos: ms between the head and the rest of an answer")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--timeout-retry", line.timeout_ms,
                 "Chaos: every tenth request is cut off after so many ms, then sent again")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--give-up-after", line.give_up_seconds, "Seconds without an answer")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

/// Texts to values.
Expected<void> settle(LoadLine& line) {
  auto& options = line.options;
  const auto payload = payload_bytes_of(line.payload);
  if (!payload) return std::unexpected(payload.error());
  const auto coding = coding_of(line.encoding);
  if (!coding) return std::unexpected(coding.error());
  options.workload.payload_bytes = *payload;
  options.coding = *coding;
  options.duration = std::chrono::seconds(line.seconds);
  options.clock_skew = std::chrono::milliseconds(line.skew_ms);
  options.slow_read = std::chrono::milliseconds(line.slow_ms);
  options.timeout_retry = std::chrono::milliseconds(line.timeout_ms);
  options.give_up_after = std::chrono::seconds(line.give_up_seconds);
  return {};
}

int load(LoadLine& line, Access& access) {
  auto server = settle(access);
  if (!server) return complain(server.error().message, kUsage);
  if (auto settled = settle(line); !settled) return complain(settled.error().message, kUsage);
  if (line.seconds == 0 && line.options.count == 0) return complain("Say --duration or --count.", kUsage);
  if (access.api_key.empty()) return complain("Say --api-key, --api-key-file or --secrets.", kUsage);
  line.options.server = *server;
  line.options.api_key = access.api_key;
  line.options.environment = access.environment;
  const auto result = run_load(line.options);
  if (!result.failure.empty()) return complain(result.failure, kFailed);
  return result.counts.unknown > 0 || result.counts.dropped > 0 ? kFailed : 0;
}

int generate(LoadLine& line) {
  if (auto settled = settle(line); !settled) return complain(settled.error().message, kUsage);
  measure_generator(line.options.workload, line.options.batch, std::chrono::seconds(line.seconds ? line.seconds : 3));
  return 0;
}

int check(CheckOptions& options, Access& access) {
  auto server = settle(access);
  if (!server) return complain(server.error().message, kUsage);
  options.server = *server;
  options.username = access.username;
  options.password = access.password;
  const auto result = run_check(options);
  fmt::print("{}", table_of(result));
  return result.failure.empty() && differences_of(result) == 0 ? 0 : kFailed;
}

int conformance(ConformanceOptions& options, bool as_json, Access& access) {
  auto server = settle(access);
  if (!server) return complain(server.error().message, kUsage);
  options.server = *server;
  options.api_key = access.api_key;
  options.environment = access.environment;
  options.username = access.username;
  options.password = access.password;
  const auto result = run_conformance(options);
  fmt::print("{}", as_json ? json_of(result) + '\n' : table_of(result));
  if (!result.failure.empty()) return complain(result.failure, kFailed);
  return std::ranges::all_of(result.rules, &RuleResult::ok) ? 0 : kFailed;
}

int run(int argc, char** argv) {
  CLI::App app{"Simulated agents for a Cameleer server: load, a ledger of what was acknowledged, and its check",
               "agent-sim"};
  app.require_subcommand(1);
  Access access;
  LoadLine line;
  CheckOptions checked;
  auto* load_mode = app.add_subcommand("load", "Agents that send executions");
  add_load(*load_mode, line, access);
  auto* generate_mode = app.add_subcommand("generate", "How quick the generator is, without a server");
  add_workload(*generate_mode, line);
  generate_mode->add_option("--duration", line.seconds, "Seconds");
  auto* check_mode = app.add_subcommand("check", "Compare a server with a ledger");
  check_mode->add_option("--url", access.url, "The server")->capture_default_str();
  check_mode->add_option("--secrets", access.secrets_file, "The server's first-start.txt");
  add_admin_access(*check_mode, access);
  check_mode->add_option("--ledger", checked.ledger)->required();
  check_mode->add_option("--details", checked.details, "Executions whose whole content is compared")
      ->capture_default_str();
  check_mode->add_flag("--deep", checked.deep, "All of them");
  add_store_access(*check_mode, checked.store);
  ConformanceOptions conform;
  bool as_json = false;
  auto* conformance_mode = app.add_subcommand("conformance", "Try every rule of the agent protocol on a server");
  add_agent_access(*conformance_mode, access);
  add_admin_access(*conformance_mode, access);
  conformance_mode->add_flag("--slow", conform.slow, "Also the rules that take a minute");
  conformance_mode->add_flag("--json", as_json, "An array of rules instead of a table");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  if (load_mode->parsed()) return load(line, access);
  if (generate_mode->parsed()) return generate(line);
  if (conformance_mode->parsed()) return conformance(conform, as_json, access);
  return check(checked, access);
}

}  // namespace
}  // namespace cameleer::sim

int main(int argc, char** argv) {
  try {
    return cameleer::sim::run(argc, argv);
  } catch (const std::exception& bug) {
    std::fputs(bug.what(), stderr);
    return 70;
  }
}
