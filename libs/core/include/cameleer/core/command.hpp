#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/core/instant.hpp>
#include <optional>
#include <string>
#include <string_view>

/// What a server asks of an agent, as values and rules. Delivery and signing are elsewhere.
namespace cameleer::command {

enum class Type : std::uint8_t {
  config_update,
  deep_trace,
  replay,
  set_traced_processors,
  test_expression,
  route_control
};
/// `config-update`, `deep-trace`, …: the name in the REST surface, in the signed envelope and of the stream's event.
std::string_view name_of(Type type);
std::optional<Type> type_of(std::string_view name);

/// PENDING → DELIVERED → ACKNOWLEDGED | FAILED | EXPIRED; the last three are final.
enum class State : std::uint8_t { pending, delivered, acknowledged, failed, expired };
std::string_view name_of(State state);
std::optional<State> state_of(std::string_view name);
inline bool is_settled(State state) {
  return state == State::acknowledged || state == State::failed || state == State::expired;
}

/// Checks what a caller wants to send as the body of a command of this type (a JSON object) and gives it back as
/// compact JSON with the members that are known and the defaults filled in. The error names the member below
/// `/payload`. Shapes: docs/PROTOCOL.md, Commands.
Expected<std::string> read_body(Type type, std::string_view json);

/// What the signature covers: who is asked for what, until when.
struct Envelope {
  std::string command_id;  ///< UUID
  Type type = Type::config_update;
  std::string tenant_id, environment, agent_id;
  Instant issued_at{}, expires_at{};
  std::string nonce;  ///< 128 random bits, base64url
  std::string body;   ///< a JSON object
};

/// The envelope as JSON: `commandId, type, tenantId, environment, agentId, issuedAt, expiresAt, nonce, body`.
std::string to_json(const Envelope& envelope);
/// The reverse, for tests and tools; `invalid_member` when it is no envelope.
Expected<Envelope> read_envelope(std::string_view json);

}  // namespace cameleer::command
