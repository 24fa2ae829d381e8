#pragma once
#include <cameleer/identity/command_signature.hpp>
#include <deque>

#include "server/commands/command_routes.hpp"
#include "services_on_loop.hpp"

namespace cameleer::test {

struct StreamEvent {
  std::string name, id, data;
};

/// The other end of a stream. What it has not taken yet holds up its writer, as a slow reader does.
class StreamReader : public web::BodyWriter {
 public:
  explicit StreamReader(async::Executor executor) : taken_(executor) {}
  async::Task<bool> write(std::string_view bytes) override;
  [[nodiscard]] bool closed() const override { return gone_; }
  void on_closed(std::function<void()> notify) override { notify_ = std::move(notify); }

  /// Takes nothing until `take`.
  void stall() { stalled_ = true; }
  void take();
  /// The peer goes, or the server drains.
  void close();

  [[nodiscard]] std::vector<StreamEvent> events() const;
  std::string text;
  bool ended = false;

 private:
  async::SteadyTimer taken_;
  std::function<void()> notify_;
  bool stalled_ = false, gone_ = false;
};

/// Commands over the services of ServicesOnLoop: an environment with a key, the signed-in user admin, and the agent
/// orders-1 of the application orders.
struct CommandsOnLoop : ServicesOnLoop {
  explicit CommandsOnLoop(server::CommandServiceSettings settings = {});

  /// A server process of its own over the same rows.
  std::unique_ptr<server::CommandService> make_process();
  /// The agent's access token.
  std::string register_agent(const std::string& id, const std::string& application = "orders");
  /// Who the agent is to a handler.
  server::Principal agent_principal(const std::string& id);
  /// Opens the stream of an agent at a process; the reader sees what comes.
  std::shared_ptr<StreamReader> connect(server::CommandService& process, const std::string& agent = "orders-1",
                                        const std::string& last_event_id = {});
  /// Sends a route-control to orders-1 by the API; the command's id.
  std::string stop_route(const std::string& route = "in");
  web::Response order(const std::string& target, const std::string& body);
  web::Response acknowledge(const std::string& id, const std::string& body = R"({"status":"SUCCESS"})");
  std::string state_of(const std::string& id);
  /// Runs the loop until it is so; a failed check after 20 s.
  void until(const std::function<bool()>& condition);

  std::string key, token, admin;
  server::CommandServiceSettings command_settings;
  std::unique_ptr<server::CommandService> commands;
};

/// The ids of the commands of a 202.
std::vector<std::string> ids_in(const web::Response& response);

}  // namespace cameleer::test
