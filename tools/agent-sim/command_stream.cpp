#include "agent-sim/command_stream.hpp"

#include <boost/json/parse.hpp>
#include <cameleer/identity/command_signature.hpp>

namespace cameleer::sim {
namespace {

constexpr std::chrono::seconds kTolerance{30};

}  // namespace

async::Task<Expected<CommandStream>> CommandStream::open(async::Executor executor, web::Endpoint endpoint,
                                                         const AgentSession& session, Opening opening) {
  auto client = std::make_unique<web::Client>(executor, std::move(endpoint), web::ClientOptions{.tls_ca_file = {}});
  const auto& id = opening.agent_id.empty() ? session.identity().id : opening.agent_id;
  web::ClientRequest request{.target = fmt::format("/api/v1/agents/{}/events", web::percent_encode(id)),
                             .headers = {{"Accept", "text/event-stream"}},
                             .deadline = std::chrono::seconds(15)};
  if (opening.token_in_query) {
    request.target += "?token=" + web::percent_encode(session.access_token());
  } else {
    request.headers.push_back({"Authorization", "Bearer " + session.access_token()});
  }
  if (!opening.last_event_id.empty()) request.headers.push_back({"Last-Event-ID", opening.last_event_id});
  auto stream = co_await client->open(std::move(request));
  if (!stream) co_return std::unexpected(stream.error());
  co_return CommandStream(std::move(client), std::move(*stream));
}

async::Task<Expected<std::optional<StreamEvent>>> CommandStream::next(std::chrono::milliseconds deadline) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  for (;;) {
    if (auto event = reader_.take()) co_return event;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) co_return fail(ErrorCode::upstream_timeout, "No event came in time.");
    auto piece = co_await stream_->next(left);
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return std::optional<StreamEvent>();
    reader_.feed(*piece);
  }
}

async::Task<Expected<std::optional<StreamEvent>>> CommandStream::next_event(std::chrono::milliseconds deadline) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    auto event = co_await next(left);
    if (!event || !*event || !(*event)->comment) co_return event;
  }
}

Judgement judge(const StreamEvent& event, const CommandRules& rules, Instant now) {
  boost::system::error_code error;
  const auto data = boost::json::parse(event.data, error);
  if (error || !data.is_object()) return {"malformed", {}};
  const identity::SignedCommand command{text_member(data, "payload"), text_member(data, "signature"),
                                        text_member(data, "keyId")};
  if (command.key_id != rules.key_id) return {"key", {}};
  const auto text = identity::verify_command(command, rules.public_key);
  if (!text) return {"signature", {}};
  auto envelope = command::read_envelope(*text);
  if (!envelope) return {"malformed", {}};
  Judgement judgement{"", std::move(*envelope)};
  const auto& read = judgement.envelope;
  if (event.name != command::name_of(read.type))
    judgement.refused = "type";
  else if (read.tenant_id != rules.tenant)
    judgement.refused = "tenant";
  else if (read.environment != rules.environment)
    judgement.refused = "environment";
  else if (read.agent_id != rules.agent)
    judgement.refused = "agent";
  else if (read.expires_at + kTolerance < now + rules.server_ahead)
    judgement.refused = "expired";
  return judgement;
}

}  // namespace cameleer::sim
