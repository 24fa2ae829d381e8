#include "agent-sim/admin_session.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "agent-sim/agent_session.hpp"

namespace cameleer::sim {
namespace {

constexpr std::chrono::seconds kDeadline{60};

// A server without a journal has no such figure: it acknowledges what it has stored.
bool nothing_waits(std::string_view metrics) {
  constexpr std::string_view kFigure = "\ncameleer_ingest_journal_records ";
  const auto at = metrics.find(kFigure);
  return at == std::string_view::npos || metrics.substr(at + kFigure.size()).starts_with("0\n");
}

}  // namespace

AdminSession::AdminSession(async::Executor executor, web::Endpoint endpoint, std::string username, std::string password)
    : client_(executor, std::move(endpoint), {.tls_ca_file = {}}),
      username_(std::move(username)),
      password_(std::move(password)) {}

async::Task<Expected<void>> AdminSession::sign_in() {
  const boost::json::object body{{"username", username_}, {"password", password_}};
  auto answer = co_await client_.send({.method = web::Method::post,
                                       .target = "/api/v1/auth/token",
                                       .headers = {{"Content-Type", "application/json"}},
                                       .body = boost::json::serialize(body),
                                       .deadline = kDeadline});
  if (!answer) co_return std::unexpected(answer.error());
  token_ = text_member(json_in(*answer), "accessToken");
  if (answer->status == 200 && !token_.empty()) co_return Expected<void>{};
  co_return fail(ErrorCode::invalid_credentials, fmt::format("Signing in as {} was answered {}: {}", username_,
                                                             answer->status, text_member(json_in(*answer), "detail")));
}

async::Task<Expected<web::ClientResponse>> AdminSession::send(web::ClientRequest request) {
  for (bool again = true;; again = false) {
    if (token_.empty()) {
      if (auto signed_in = co_await sign_in(); !signed_in) co_return std::unexpected(signed_in.error());
    }
    auto copy = request;
    copy.headers.push_back({"Authorization", "Bearer " + token_});
    auto answer = co_await client_.send(std::move(copy));
    if (!again || !answer || answer->status != 401) co_return answer;
    token_.clear();
  }
}

async::Task<Expected<void>> AdminSession::stored(std::chrono::seconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  for (;;) {
    auto answer = co_await client_.send(
        {.method = web::Method::get, .target = "/metrics", .deadline = kDeadline, .idempotent = true});
    if (!answer) co_return std::unexpected(answer.error());
    if (answer->status == 200 && nothing_waits(answer->body)) co_return Expected<void>{};
    if (std::chrono::steady_clock::now() > until) {
      co_return fail(ErrorCode::upstream_timeout,
                     fmt::format("The server has not stored what it acknowledged within {} s.", within.count()));
    }
    co_await async::sleep_for(co_await async::asio::this_coro::executor, std::chrono::milliseconds(20));
  }
}

async::Task<Expected<web::ClientResponse>> AdminSession::get(std::string target) {
  return send({.method = web::Method::get, .target = std::move(target), .deadline = kDeadline, .idempotent = true});
}

async::Task<Expected<web::ClientResponse>> AdminSession::send_json(web::Method method, std::string target,
                                                                   std::string body) {
  return send({.method = method,
               .target = std::move(target),
               .headers = {{"Content-Type", "application/json"}},
               .body = std::move(body),
               .deadline = kDeadline});
}

}  // namespace cameleer::sim
