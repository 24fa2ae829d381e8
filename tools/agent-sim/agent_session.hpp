#pragma once
#include <boost/json/value.hpp>
#include <cameleer/core/instant.hpp>
#include <cameleer/web/client.hpp>
#include <memory>
#include <string>
#include <vector>

namespace cameleer::sim {

/// Who a simulated agent is.
struct AgentIdentity {
  std::string id, application, environment, api_key;
  std::vector<std::string> routes;
  std::chrono::milliseconds clock_skew{};  ///< its clock is ahead by so much
};

/// An agent's tokens and its HTTP client. Registers, refreshes, beats; several coroutines of the agent may use it at
/// once. I/O thread only.
class AgentSession {
 public:
  AgentSession(async::Executor executor, web::Endpoint endpoint, AgentIdentity identity, std::size_t connections);

  /// One attempt. The answer's status is the caller's to judge; tokens are kept when it is 200.
  async::Task<Expected<web::ClientResponse>> register_agent();
  /// After a 401 of a request that carried `refused`: refreshes, else registers. Does nothing when somebody else has
  /// renewed since. False: neither worked; try again later.
  async::Task<bool> renew(std::string refused);
  async::Task<Expected<web::ClientResponse>> heartbeat();
  async::Task<Expected<web::ClientResponse>> deregister();

  /// A request with the agent's access token, or `bearer` instead of it.
  async::Task<Expected<web::ClientResponse>> send(web::ClientRequest request);

  /// All connections anew: those in use end with their requests.
  void reconnect();

  /// After the last request: lets go of the connections, which would keep the loop alive.
  void close() { client_.reset(); }

  [[nodiscard]] const AgentIdentity& identity() const { return identity_; }
  [[nodiscard]] const std::string& access_token() const { return access_token_; }
  [[nodiscard]] const std::string& refresh_token() const { return refresh_token_; }
  [[nodiscard]] std::chrono::milliseconds heartbeat_interval() const { return heartbeat_interval_; }
  [[nodiscard]] web::Client& client() { return *client_; }
  /// The answer to the last registration.
  [[nodiscard]] const boost::json::value& registration() const { return registration_; }
  [[nodiscard]] std::uint64_t registrations() const { return registrations_; }
  [[nodiscard]] std::uint64_t refreshes() const { return refreshes_; }
  [[nodiscard]] Instant now() const;

 private:
  bool take_tokens(const web::ClientResponse& answer);

  async::Executor executor_;
  web::Endpoint endpoint_;
  AgentIdentity identity_;
  std::size_t connections_;
  std::shared_ptr<web::Client> client_;
  std::string access_token_, refresh_token_;
  std::chrono::milliseconds heartbeat_interval_{30'000};
  boost::json::value registration_;
  std::uint64_t registrations_ = 0, refreshes_ = 0;
  bool renewing_ = false;
};

/// The body as JSON; null when it is none.
boost::json::value json_in(const web::ClientResponse& answer);
/// A text member of an object; empty when there is none.
std::string text_member(const boost::json::value& value, std::string_view name);

}  // namespace cameleer::sim
