#include "server/ingest/decode_rules.hpp"

namespace cameleer::server {

bool DecodedRequest::in_range(std::size_t index, Instant time, const DecodeContext& context) {
  if (time >= context.oldest && time <= context.newest) {
    if (time > context.ahead) flagged.push_back({index, "ahead"});
    return true;
  }
  rejected.push_back({index, time < context.oldest ? "too_old" : "in_future"});
  return false;
}

}  // namespace cameleer::server
