#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cameleer/core/command.hpp>
#include <cameleer/core/json_members.hpp>
#include <cameleer/core/json_writer.hpp>
#include <set>

namespace cameleer::command {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxExpression = 64u << 10;
constexpr std::size_t kMaxMessageBody = 1u << 20;
constexpr std::size_t kMaxMembers = 1'000;
constexpr std::int32_t kLongestTrace = 3'600, kUsualTrace = 300;

constexpr std::array<std::string_view, 6> kTypes{"config-update",         "deep-trace",      "replay",
                                                 "set-traced-processors", "test-expression", "route-control"};
constexpr std::array<std::string_view, 5> kStates{"PENDING", "DELIVERED", "ACKNOWLEDGED", "FAILED", "EXPIRED"};
constexpr std::array<std::string_view, 4> kCaptureModes{"NONE", "INPUT", "OUTPUT", "BOTH"};
constexpr std::array<std::string_view, 4> kRouteActions{"start", "stop", "suspend", "resume"};

template <class Value, std::size_t size>
std::optional<Value> find(const std::array<std::string_view, size>& names, std::string_view name) {
  const auto* found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Value>(found - names.begin());
}

/// One object of a command's body: what is read of it is also written, so that only known members pass.
class BodyReader {
 public:
  BodyReader(JsonMembers& members, dom::object object) : members_(members), object_(object) {}

  enum class Rule : std::uint8_t { may_be_empty, not_blank, required };
  /// What was written; nothing when it is not there or refused.
  std::optional<std::string> text(std::string_view name, std::size_t longest, Rule rule, JsonWriter& into) {
    std::string value;
    const auto element = find(name);
    if (members_.error) return std::nullopt;
    if (!element || element->is_null()) {
      if (rule == Rule::required) members_.refuse(name, "is required");
      return std::nullopt;
    }
    if (!members_.text(name, *element, value)) return std::nullopt;
    if (value.size() > longest) {
      members_.refuse(name, "must have at most " + std::to_string(longest) + " bytes");
    } else if (rule != Rule::may_be_empty && value.find_first_not_of(" \t\r\n") == std::string::npos) {
      members_.refuse(name, "must not be blank");
    } else {
      into.key(name).text(value);
      return value;
    }
    return std::nullopt;
  }

  void choice(std::string_view name, std::span<const std::string_view> values, JsonWriter& into) {
    if (const auto value = text(name, kMaxName, Rule::required, into)) check_choice(name, *value, values);
  }

  void seconds(std::string_view name, JsonWriter& into) {
    std::optional<std::int32_t> value;
    const auto element = find(name);
    if (members_.error || (element && !members_.index(name, *element, value))) return;
    const auto chosen = value.value_or(kUsualTrace);
    if (chosen < 1 || chosen > kLongestTrace) {
      members_.refuse(name, "must be a whole number from 1 to " + std::to_string(kLongestTrace));
      return;
    }
    into.key(name).number(chosen);
  }

  void texts(std::string_view name, bool required, std::span<const std::string_view> values, JsonWriter& into) {
    StringMap map;
    const auto element = find(name);
    if (members_.error) return;
    if (!element || element->is_null()) {
      if (required) members_.refuse(name, "is required");
      return;
    }
    if (!members_.map(name, *element, map, kMaxMembers)) return;
    std::set<std::string_view> seen;
    into.key(name).begin_object();
    members_.enter(name);
    for (const auto& [key, text] : map) {
      if (!values.empty()) check_choice(key, text, values);
      if (!members_.error && !seen.insert(key).second) members_.refuse(key, "must not be there twice");
      if (!members_.error && (key.empty() || key.size() > kMaxName)) {
        members_.refuse(key, "must have a name of 1 to " + std::to_string(kMaxName) + " bytes");
      }
      if (members_.error) break;
      into.key(key).text(text);
    }
    members_.leave();
    into.end_object();
  }

  /// Null when it is not there, which is refused.
  std::optional<dom::object> object(std::string_view name) {
    dom::object inner;
    const auto element = find(name);
    if (members_.error) return std::nullopt;
    if (!element || element->get(inner) != simdjson::SUCCESS) {
      members_.refuse(name, element ? "must be an object" : "is required");
      return std::nullopt;
    }
    return inner;
  }

 private:
  std::optional<dom::element> find(std::string_view name) {
    std::optional<dom::element> found;
    for (const auto field : object_) {
      if (field.key != name) continue;
      if (found && !members_.error) members_.refuse(name, "must not be there twice");
      found = field.value;
    }
    return found;
  }

  void check_choice(std::string_view name, std::string_view value, std::span<const std::string_view> values) {
    if (std::ranges::find(values, value) != values.end()) return;
    std::string rule = "must be one of";
    for (const auto one : values) rule.append(" ").append(one);
    members_.refuse(name, rule);
  }

  JsonMembers& members_;
  dom::object object_;
};

using Rule = BodyReader::Rule;

void read_deep_trace(BodyReader body, JsonWriter& out) {
  body.text("routeId", kMaxName, Rule::not_blank, out);
  body.text("correlationId", kMaxName, Rule::not_blank, out);
  body.seconds("durationSeconds", out);
}

void read_replay(BodyReader body, JsonMembers& members, JsonWriter& out) {
  body.text("routeId", kMaxName, Rule::required, out);
  out.key("exchange").begin_object();
  if (const auto exchange = body.object("exchange")) {
    BodyReader inner(members, *exchange);
    members.enter("exchange");
    inner.texts("headers", false, {}, out);
    inner.text("body", kMaxMessageBody, Rule::may_be_empty, out);
    members.leave();
  }
  out.end_object();
  body.text("originalExecutionId", kMaxName, Rule::required, out);
}

void read_test_expression(BodyReader body, JsonWriter& out) {
  body.text("language", kMaxName, Rule::required, out);
  body.text("expression", kMaxExpression, Rule::required, out);
  body.text("body", kMaxMessageBody, Rule::may_be_empty, out);
  body.texts("headers", false, {}, out);
}

void read_members_of(Type type, BodyReader body, JsonMembers& members, JsonWriter& out) {
  switch (type) {
    case Type::config_update:
      break;
    case Type::deep_trace:
      read_deep_trace(body, out);
      break;
    case Type::replay:
      read_replay(body, members, out);
      break;
    case Type::set_traced_processors:
      body.texts("processors", true, kCaptureModes, out);
      break;
    case Type::test_expression:
      read_test_expression(body, out);
      break;
    case Type::route_control:
      body.choice("action", kRouteActions, out);
      body.text("routeId", kMaxName, Rule::required, out);
      break;
  }
}

Expected<dom::object> parse_object(dom::parser& parser, std::string_view text, std::size_t depth) {
  dom::object object;
  auto error = parser.allocate(std::max<std::size_t>(text.size(), 64), depth);
  if (!error) error = parser.parse(text.data(), text.size(), /*realloc_if_needed=*/true).get(object);
  if (error == simdjson::SUCCESS) return object;
  return fail(
      error == simdjson::INCORRECT_TYPE ? ErrorCode::invalid_member : ErrorCode::malformed_body,
      error == simdjson::INCORRECT_TYPE ? "The payload must be a JSON object." : "The payload is no valid JSON.",
      "/payload");
}

/// Reads the members of an envelope; the first that is wrong is named.
class EnvelopeReader {
 public:
  explicit EnvelopeReader(dom::object object) : object_(object) {}

  std::string text(std::string_view name) {
    std::string_view value;
    if (object_.at_key(name).get(value) != simdjson::SUCCESS || value.empty()) {
      refuse(name);
      return {};
    }
    return std::string(value);
  }
  Instant instant(std::string_view name) {
    const auto value = parse_instant(text(name));
    if (!value) refuse(name);
    return value.value_or(Instant{});
  }
  void refuse(std::string_view name) {
    if (error) return;
    error =
        Error{ErrorCode::invalid_member, "/" + std::string(name) + ": is missing or wrong", "/" + std::string(name)};
  }

  std::optional<Error> error;

 private:
  dom::object object_;
};

}  // namespace

std::string_view name_of(Type type) {
  return kTypes[static_cast<std::size_t>(type)];
}
std::optional<Type> type_of(std::string_view name) {
  return find<Type>(kTypes, name);
}
std::string_view name_of(State state) {
  return kStates[static_cast<std::size_t>(state)];
}
std::optional<State> state_of(std::string_view name) {
  return find<State>(kStates, name);
}

Expected<std::string> read_body(Type type, std::string_view text) {
  dom::parser parser;
  const auto object = parse_object(parser, text, kMaxDepth);
  if (!object) return std::unexpected(object.error());
  JsonMembers members;
  members.enter("payload");
  JsonWriter body;
  body.begin_object();
  read_members_of(type, BodyReader(members, *object), members, body);
  if (members.error) return std::unexpected(std::move(*members.error));
  return body.end_object().take();
}

std::string to_json(const Envelope& envelope) {
  JsonWriter json;
  json.begin_object().key("commandId").text(envelope.command_id).key("type").text(name_of(envelope.type));
  json.key("tenantId").text(envelope.tenant_id).key("environment").text(envelope.environment);
  json.key("agentId").text(envelope.agent_id).key("issuedAt").text(format_instant(envelope.issued_at));
  json.key("expiresAt").text(format_instant(envelope.expires_at)).key("nonce").text(envelope.nonce);
  // The body is JSON already; reading it again would only cost.
  return json.key("body").raw(envelope.body).end_object().take();
}

Expected<Envelope> read_envelope(std::string_view text) {
  dom::parser parser;
  const auto object = parse_object(parser, text, 2 * kMaxDepth);
  if (!object) return fail(ErrorCode::invalid_member, "The envelope is no JSON object.");
  EnvelopeReader reader(*object);
  Envelope envelope;
  envelope.command_id = reader.text("commandId");
  const auto type = type_of(reader.text("type"));
  if (!type) reader.refuse("type");
  envelope.type = type.value_or(Type::config_update);
  envelope.tenant_id = reader.text("tenantId");
  envelope.environment = reader.text("environment");
  envelope.agent_id = reader.text("agentId");
  envelope.issued_at = reader.instant("issuedAt");
  envelope.expires_at = reader.instant("expiresAt");
  envelope.nonce = reader.text("nonce");
  dom::object body;
  if (object->at_key("body").get(body) != simdjson::SUCCESS) reader.refuse("body");
  if (reader.error) return std::unexpected(std::move(*reader.error));
  envelope.body = simdjson::minify(body);
  return envelope;
}

}  // namespace cameleer::command
