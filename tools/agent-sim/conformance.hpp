#pragma once
#include <cameleer/web/client.hpp>
#include <string>
#include <vector>

namespace cameleer::sim {

struct ConformanceOptions {
  web::Endpoint server;
  std::string api_key, environment = "default";
  std::string username = "admin", password;
  bool slow = false;  ///< also the rules that take minutes: lives of tokens and commands
};

/// One rule of the protocol and what the server made of it.
struct RuleResult {
  std::string area, rule, expected, got;
  bool ok = false;
};

struct ConformanceResult {
  std::vector<RuleResult> rules;
  std::string failure;  ///< the rules could not all be tried
};

/// Tries every rule of docs/PROTOCOL.md on a server, as agents of its own, each run with new ids. Leaves agents,
/// executions and a configuration of an application of its own behind. Makes its own I/O loop.
ConformanceResult run_conformance(const ConformanceOptions& options);

std::string table_of(const ConformanceResult& result);
/// An array of `{"area","rule","expected","got","ok"}`.
std::string json_of(const ConformanceResult& result);

}  // namespace cameleer::sim
