#include "commands_on_loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

namespace cameleer::test {
namespace {

async::Task<Expected<std::string>> config_of(std::string environment, std::string application) {
  co_return fmt::format(R"({{"environment":"{}","application":"{}","version":7}})", environment, application);
}

async::Task<> read(server::CommandService::StreamWriter stream, std::shared_ptr<StreamReader> reader) {
  co_await stream(*reader);
  reader->ended = true;
}

}  // namespace

async::Task<bool> StreamReader::write(std::string_view bytes) {
  while (stalled_ && !gone_) {
    taken_.expires_at(std::chrono::steady_clock::time_point::max());
    co_await taken_.async_wait(async::as_result);
  }
  if (!gone_) text += bytes;
  co_return !gone_;
}

void StreamReader::take() {
  stalled_ = false;
  taken_.cancel();
}

void StreamReader::close() {
  gone_ = true;
  taken_.cancel();
  if (auto notify = std::exchange(notify_, {})) notify();
}

std::vector<StreamEvent> StreamReader::events() const {
  std::vector<StreamEvent> events;
  for (std::size_t at = 0;;) {
    const auto end = text.find("\n\n", at);
    if (end == std::string::npos) return events;
    StreamEvent event;
    for (auto line = at; line < end; line = text.find('\n', line) + 1) {
      const auto whole = text.substr(line, text.find('\n', line) - line);
      if (whole.starts_with("event: ")) event.name = whole.substr(7);
      if (whole.starts_with("id: ")) event.id = whole.substr(4);
      if (whole.starts_with("data: ")) event.data = whole.substr(6);
    }
    if (!event.name.empty()) events.push_back(std::move(event));
    at = end + 2;
  }
}

CommandsOnLoop::CommandsOnLoop(server::CommandServiceSettings settings) : command_settings(std::move(settings)) {
  key = run(environments->ensure_first()).value().value();
  make_admin();
  admin = run(auth->issue_tokens("admin", std::string(kPassword), "a")).value().access;
  commands = make_process();
  router = web::Router();
  server::add_agent_routes(router, *agents);
  server::add_command_routes(router, *commands);
  if (auto sealed = router.seal(); !sealed) throw std::runtime_error(sealed.error().message);
  token = register_agent("orders-1");
}

std::unique_ptr<server::CommandService> CommandsOnLoop::make_process() {
  return std::make_unique<server::CommandService>(
      io.get_executor(), *pool, *audit, *agents, *environments, workers, keys, config_of, [this] { return now; },
      identity::system_random(), command_settings);
}

std::string CommandsOnLoop::register_agent(const std::string& id, const std::string& application) {
  const auto response =
      post("/api/v1/agents/register",
           fmt::format(R"({{"agentId":"{}","application":"{}","environmentId":"default"}})", id, application), key);
  if (response.status != 200) throw std::runtime_error(response.body);
  return member(response, "accessToken");
}

server::Principal CommandsOnLoop::agent_principal(const std::string& id) {
  server::Principal principal;
  principal.kind = server::Principal::Kind::agent;
  principal.id = id;
  principal.environment = "default";
  principal.application = "orders";
  principal.key_ref = cell("select id from api_keys order by created_at limit 1");
  principal.token_expires_at = now + std::chrono::hours(1);
  return principal;
}

std::shared_ptr<StreamReader> CommandsOnLoop::connect(server::CommandService& process, const std::string& agent,
                                                      const std::string& last_event_id) {
  auto stream = run(process.open_stream(agent_principal(agent), last_event_id));
  REQUIRE(stream);
  auto reader = std::make_shared<StreamReader>(io.get_executor());
  boost::asio::co_spawn(io, read(std::move(*stream), reader), boost::asio::detached);
  return reader;
}

std::string CommandsOnLoop::stop_route(const std::string& route) {
  const auto response = order("/api/v1/agents/orders-1/commands",
                              R"({"type":"route-control","payload":{"action":"stop","routeId":")" + route + "\"}}");
  REQUIRE(response.status == 202);
  return ids_in(response).at(0);
}

web::Response CommandsOnLoop::order(const std::string& target, const std::string& body) {
  return post(target, body, admin);
}

web::Response CommandsOnLoop::acknowledge(const std::string& id, const std::string& body) {
  return post("/api/v1/agents/orders-1/commands/" + id + "/ack", body, token);
}

std::string CommandsOnLoop::state_of(const std::string& id) {
  return cell("select state from agent_commands where command_id = '" + id + "'");
}

void CommandsOnLoop::until(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  io.restart();
  while (!condition() && std::chrono::steady_clock::now() < end) io.run_one_for(std::chrono::milliseconds(100));
  REQUIRE(condition());
}

std::vector<std::string> ids_in(const web::Response& response) {
  std::vector<std::string> ids;
  const auto body = boost::json::parse(response.body);
  for (const auto& one : body.at("commands").as_array()) ids.emplace_back(one.at("commandId").as_string());
  return ids;
}

}  // namespace cameleer::test
