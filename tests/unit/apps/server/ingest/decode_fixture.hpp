#pragma once
#include <catch2/catch.hpp>

#include "server/ingest/decode_rules.hpp"

namespace cameleer::test {

using namespace server;

inline std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

inline DecodeRules rules(std::vector<std::string> keys = default_sensitive_keys()) {
  DecodeRules rules;
  rules.sensitive_keys = std::make_shared<const SensitiveKeys>(keys);
  return rules;
}

inline DecodeContext context() {
  DecodeContext context;
  context.environment = "default";
  context.application = "orders";
  context.agent_id = "agent-1";
  context.now = *parse_instant("2026-11-22T02:00:00Z");
  context.oldest = context.now - std::chrono::days(30);
  context.newest = context.now + std::chrono::hours(24);
  return context;
}

/// A body and the answer that refuses it.
struct Refusal {
  const char* what;
  std::string body;
  ErrorCode code;
  std::string member;
};

/// Every one is refused with its code, the place and a sentence.
inline void check_refusals(Decode decode, std::span<const Refusal> rows) {
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const auto decoded = decode(row.body, rules(), context());
    REQUIRE_FALSE(decoded.has_value());
    CAPTURE(decoded.error().message);
    CHECK(name_of(decoded.error().code) == name_of(row.code));
    CHECK(decoded.error().member == row.member);
    CHECK_FALSE(decoded.error().message.empty());
  }
}

/// What a kind must refuse whatever its members are, made from one good element that ends with `}`.
inline void check_common_refusals(Decode decode, const std::string& good, std::size_t most) {
  const auto with = [&good](const std::string& more) { return good.substr(0, good.size() - 1) + "," + more + "}"; };
  constexpr auto malformed = ErrorCode::malformed_body, invalid = ErrorCode::invalid_member;
  const Refusal rows[] = {
      {"nothing", "", malformed, ""},
      {"cut", good.substr(0, good.size() / 2), malformed, ""},
      {"trailing text", good + "x", malformed, ""},
      {"bad UTF-8 in a member that nobody reads", with("\"unknown\":\"\xC3\x28\""), malformed, ""},
      {"a raw NUL", with(std::string("\"unknown\":\"a\0b\"", 15)), malformed, ""},
      {"nested 10,000 deep", repeated("[", 10'000) + repeated("]", 10'000), malformed, ""},
      {"nested 10,000 deep in a member that nobody reads",
       with("\"unknown\":" + repeated("[", 10'000) + repeated("]", 10'000)), malformed, ""},
      {"a number", "1", invalid, ""},
      {"null", "null", invalid, ""},
      {"an array in an array", "[[]]", invalid, "/0"},
      {"a text after a good element", "[" + good + ",\"no\"]", invalid, "/1"},
      {"too many elements", "[" + repeated(good + ",", most) + good + "]", invalid, ""},
  };
  check_refusals(decode, rows);
  CHECK(decode(good, rules(), context()).has_value());
  CHECK(decode("[" + repeated(good + ",", most - 1) + good + "]", rules(), context()).has_value());
  CHECK(decode("[]", rules(), context())->rows.parts.empty());
}

}  // namespace cameleer::test
