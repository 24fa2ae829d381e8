#pragma once
#include "server/agents/agent_store.hpp"
#include "server/auth/principal.hpp"
#include "server/auth/token_service.hpp"
#include "server/environments/environment_service.hpp"
#include "server/license/license_enforcer.hpp"

namespace cameleer::server {

/// The configuration of an application as an agent that starts gets it: the read envelope, JSON.
using ConfigOf = std::function<async::Task<Expected<std::string>>(std::string environment, std::string application)>;

struct AgentServiceSettings {
  agent::Settings registry;
  std::chrono::milliseconds write_interval{10'000};  ///< heartbeats of an agent reach PostgreSQL at most so often
  std::chrono::milliseconds sweep_interval{5'000};
  std::size_t max_known = 50'000;  ///< agents held in memory; one more is `overloaded`
  std::string base_path = "/";     ///< prefix of `sseEndpoint`
  std::string tenant_id = "default";
  ConfigOf config_of = {};          ///< empty: no application has one
  LicenseEnforcer* caps = nullptr;  ///< none: as many agents as `max_known`
};

struct Registration {
  agent::Key key;
  agent::Description description;
  std::optional<Instant> agent_time = {};  ///< the agent's clock when it sent this
};

struct RegistrationResult {
  TokenPair tokens;
  std::string sse_endpoint;
  std::chrono::milliseconds heartbeat_interval{};
  std::string tenant_id;
  std::string server_public_key;
  std::string server_key_id;
  std::string config = R"({"version":0})";  ///< JSON
  Instant server_time{};
};

/// The registry of agents. Truth is rows in PostgreSQL; memory holds what heartbeats said since they were last written,
/// so that a storm of heartbeats costs one statement every `write_interval`. After a restart an agent is found again in
/// its row, or made anew from its token. I/O thread only.
class AgentService {
 public:
  AgentService(postgres::Pool& pool, TokenService& tokens, EnvironmentService& environments, const identity::Keys& keys,
               Clock clock, AgentServiceSettings settings = {});

  /// `caller` is the principal of an API key; the environment named must be its own. `license_cap_exceeded`: as many
  /// agents are LIVE as may be, and this one is neither LIVE nor STALE nor was LIVE within a day.
  async::Task<Expected<RegistrationResult>> register_agent(const Principal& caller, Registration registration);
  /// `caller` is the principal of a refresh token.
  async::Task<Expected<TokenPair>> refresh(const Principal& caller);
  /// The server's time. `agent_time`: the agent's clock when it sent this.
  async::Task<Expected<Instant>> heartbeat(const Principal& caller, agent::Heartbeat beat,
                                           std::optional<Instant> agent_time = {});
  async::Task<Expected<void>> deregister(const Principal& caller);
  async::Task<Expected<std::vector<agent::Record>>> list(std::string environment);
  /// The agents of that id in all environments.
  async::Task<Expected<std::vector<agent::Record>>> find(std::string agent_id);

  /// Writes what heartbeats said; the agents stay in memory until they are silent.
  async::Task<Expected<void>> write_heartbeats();
  /// Finds silent agents.
  async::Task<Expected<void>> sweep();
  /// Both of the above at their intervals until the coroutine is cancelled. A failure is tried again at the next turn.
  async::Task<> run();
  /// Before the process ends: what is not written yet.
  async::Task<> stop();

  [[nodiscard]] Instant now() const { return clock_(); }
  [[nodiscard]] const LicenseEnforcer* caps() const { return settings_.caps; }
  /// For metrics: agents in memory.
  [[nodiscard]] std::size_t known() const { return known_.size(); }

 private:
  struct Entry {
    agent::Record record;
    bool dirty = false;
  };
  async::Task<Expected<agent::Record>> load_or_recreate(const Principal& caller);
  async::Task<Expected<void>> put_registered(agent::Change change, bool is_known, std::string key_ref, Instant now);
  void take_newer(std::vector<agent::Record>& records) const;
  Expected<void> remember(agent::Record record, bool dirty);

  AgentStore store_;
  TokenService& tokens_;
  EnvironmentService& environments_;
  const identity::Keys& keys_;
  Clock clock_;
  AgentServiceSettings settings_;
  std::map<agent::Key, Entry> known_;
};

}  // namespace cameleer::server
