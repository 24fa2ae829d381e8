#pragma once
#include <cameleer/identity/encoding.hpp>
#include <cameleer/web/router.hpp>

#include "on_loop.hpp"
#include "server/agents/agent_routes.hpp"
#include "server/audit/audit_service.hpp"
#include "server/auth/auth_routes.hpp"
#include "server/environments/environment_routes.hpp"

namespace cameleer::test {

inline constexpr std::string_view kPassword = "Correct-Horse-1";

/// Environments, sign-in and agents over a migrated schema of their own, and their routes. The clock stands still until
/// a test moves `now`.
struct ServicesOnLoop {
  explicit ServicesOnLoop(server::AuthSettings auth_settings = {}, server::AgentServiceSettings agent_settings = {});
  ~ServicesOnLoop();

  template <class T>
  T run(async::Task<T> task) {
    return finish(io, std::move(task));
  }
  /// Like the server: authorise, then handle.
  web::Response send(web::Method method, std::string target, std::string body = {},
                     std::vector<web::Header> headers = {});
  web::Response get(std::string path, std::string bearer = {});
  web::Response post(std::string path, std::string body, std::string bearer = {});
  /// First cell; empty: none, or NULL.
  std::string cell(std::string sql);
  /// Makes the user admin with `kPassword`.
  void make_admin();
  /// Another start of the server over the same rows.
  void restart();

  boost::asio::io_context io;
  Instant now = instant_of(1'800'000'000'000);
  std::string schema;
  async::WorkerPool workers{2, 100};
  std::optional<postgres::Pool> pool;
  identity::Keys keys{identity::MasterKey::from_bytes(std::string(32, 'k'))};
  server::AuthSettings auth_settings;
  server::AgentServiceSettings agent_settings;

  std::optional<server::AuditService> audit;
  std::optional<server::EnvironmentService> environments;
  std::optional<server::TokenService> tokens;
  std::optional<server::AuthService> auth;
  std::optional<server::AgentService> agents;
  web::Router router;
  web::Authorizer authorizer;
};

/// A member of a JSON object; empty when it is not there.
std::string member(const web::Response& response, std::string_view name);
std::string header(const web::Response& response, std::string_view name);

}  // namespace cameleer::test
