#pragma once
#include <cstdlib>

#include "server/ingest/decode_rules.hpp"

namespace cameleer::fuzz {

inline server::DecodeRules rules() {
  server::DecodeRules rules;
  rules.body_bytes = 64;
  const std::vector<std::string> keys{"pin", "*token"};
  rules.sensitive_keys = std::make_shared<const SensitiveKeys>(keys);
  return rules;
}

/// Any bytes either decode, to rows as many as it says and the same ones again, or are refused with a sentence.
inline void decode_any(server::Decode decode, const std::uint8_t* data, std::size_t size) {
  static const server::DecodeRules decode_rules = rules();
  server::DecodeContext context;
  context.environment = "default";
  context.application = "orders";
  context.agent_id = "agent-1";
  context.newest = instant_of(4'000'000'000'000);
  const std::string body(reinterpret_cast<const char*>(data), size);
  const auto decoded = decode(body, decode_rules, context);
  if (!decoded) {
    if (decoded.error().message.empty()) std::abort();
    return;
  }
  if ((decoded->accepted == 0) != (decoded->rows.rows() == 0)) std::abort();
  const auto again = decode(body, decode_rules, context);
  if (!again || again->rows.parts.size() != decoded->rows.parts.size()) std::abort();
  for (std::size_t i = 0; i < again->rows.parts.size(); ++i) {
    if (again->rows.parts[i].body != decoded->rows.parts[i].body) std::abort();
  }
}

}  // namespace cameleer::fuzz
