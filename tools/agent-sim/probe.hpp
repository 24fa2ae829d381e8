#pragma once
#include <boost/json/value.hpp>
#include <memory>

#include "agent-sim/admin_session.hpp"
#include "agent-sim/agent_session.hpp"
#include "agent-sim/command_stream.hpp"
#include "agent-sim/conformance.hpp"

namespace cameleer::sim {

/// What the rules of all areas share: a way to the server, and the table they fill. I/O thread only.
class Probe {
 public:
  using Answer = Expected<web::ClientResponse>;
  using Headers = std::vector<web::Header>;

  Probe(async::Executor executor, ConformanceOptions options, std::string run);

  void area(std::string name) { area_ = std::move(name); }
  /// A row: right when `got` is `expected`, or begins with it and a space.
  void row(std::string rule, std::string expected, std::string got);
  /// A row about an answer; `expected` is a status, or a status and an error code: `400 invalid_member`.
  void row(std::string rule, std::string expected, const Answer& answer);

  /// Sends with exactly these headers.
  async::Task<Answer> raw(web::Method method, std::string target, Headers headers, std::string body = "");
  /// JSON with a bearer.
  async::Task<Answer> post(std::string target, std::string bearer, std::string body, Headers more = {});

  /// A new agent of the run with this name, not registered yet; the probe owns it.
  AgentSession& agent(std::string_view name, std::string application = "conformance", std::string api_key = "");
  /// The same, registered.
  async::Task<AgentSession*> registered(std::string_view name, std::string application = "conformance",
                                        std::string api_key = "");
  [[nodiscard]] std::string id(std::string_view name) const { return run_ + "-" + std::string(name); }

  [[nodiscard]] const ConformanceOptions& options() const { return options_; }
  [[nodiscard]] async::Executor executor() const { return executor_; }
  AdminSession& admin() { return admin_; }
  std::vector<RuleResult> take() { return std::move(rows_); }
  void close() { agents_.clear(); }

 private:
  async::Executor executor_;
  ConformanceOptions options_;
  std::string run_, area_;
  web::Client client_;
  AdminSession admin_;
  std::vector<std::unique_ptr<AgentSession>> agents_;
  std::vector<RuleResult> rows_;
};

/// How long a server may need to store what it has acknowledged.
inline constexpr std::chrono::seconds kStored{20};

/// `400 invalid_member /0/status`, `202`, `no answer: …`.
std::string said(const Probe::Answer& answer);
/// The agent as the list of agents shows it; null when it is not there.
async::Task<boost::json::value> shown_agent(Probe& probe, std::string id);
/// The execution as the API shows it; null when it is not there.
async::Task<boost::json::value> shown_execution(Probe& probe, std::string id);
/// The members among `names` that the object lacks, or `all there`.
std::string lacking(const boost::json::value& value, std::initializer_list<std::string_view> names);

// The areas, one a file.
async::Task<> check_registration(Probe& probe);
async::Task<> check_tokens(Probe& probe);
async::Task<> check_heartbeats(Probe& probe);
async::Task<> check_data(Probe& probe);
async::Task<> check_executions(Probe& probe);
async::Task<> check_configuration(Probe& probe);
async::Task<> check_streams(Probe& probe);
async::Task<> check_commands(Probe& probe);
async::Task<> check_lives(Probe& probe);

}  // namespace cameleer::sim
