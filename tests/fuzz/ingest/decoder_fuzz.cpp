#include <cstdlib>

#include "server/ingest/execution_decoder.hpp"

using namespace cameleer;
using namespace cameleer::server;

namespace {

DecodeRules rules() {
  DecodeRules rules;
  rules.body_bytes = 64;
  const std::vector<std::string> keys{"pin", "*token"};
  rules.sensitive_keys = std::make_shared<const SensitiveKeys>(keys);
  return rules;
}

}  // namespace

// Any bytes either decode or are refused with a code, a sentence and, for a member, its place.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const DecodeRules decode_rules = rules();
  DecodeContext context;
  context.environment = "default";
  context.newest = instant_of(4'000'000'000'000);
  const auto decoded = decode_executions(std::string(reinterpret_cast<const char*>(data), size), decode_rules, context);
  if (decoded) {
    if ((decoded->accepted == 0) != (decoded->rows.rows == 0)) std::abort();
  } else if (decoded.error().message.empty()) {
    std::abort();
  }
  return 0;
}
