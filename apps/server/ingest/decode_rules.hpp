#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/core/instant.hpp>
#include <cameleer/core/sensitive_keys.hpp>
#include <memory>
#include <string>
#include <vector>

#include "server/ingest/batch_writer.hpp"
#include "server/ingest/route_catalog.hpp"

namespace cameleer::server {

/// What a request is measured against. Shared by threads, so it never changes.
struct DecodeRules {
  std::string tenant = "default";
  std::size_t body_bytes = 64 * 1024;  ///< texts are cut to so many bytes, at a character
  std::shared_ptr<const SensitiveKeys> sensitive_keys;

  static constexpr std::size_t max_elements = 10'000;
  static constexpr std::size_t max_diagrams = 1'000;     ///< elements of one request
  static constexpr std::size_t max_processors = 20'000;  ///< of one execution
  static constexpr std::size_t max_depth = 1'000;        ///< of JSON nesting
  static constexpr std::size_t max_id_characters = 256;
  static constexpr std::size_t max_map_entries = 1'000;
  static constexpr std::size_t max_detail_bytes = 64 * 1024;  ///< of an event's detail as compact JSON
  static constexpr std::size_t max_detail_depth = 32;
  static constexpr std::size_t max_graph_bytes = 1u << 20;  ///< of a diagram's nodes and edges, and of its source
  static constexpr std::size_t max_graph_depth = 64;
};

/// Where and when a request came from.
struct DecodeContext {
  std::string environment, application, agent_id;
  std::string idempotency_key = {};   ///< empty: the body itself says which request it is
  Instant now{}, oldest{}, newest{};  ///< elements older than `oldest` or after `newest` are refused alone
  Instant ahead = Instant::max();     ///< accepted elements after it are flagged
};

/// An element that was refused alone, or flagged.
struct Rejection {
  std::size_t index = 0;    ///< position in the request
  std::string_view reason;  ///< `too_old` or `in_future`; `ahead`
};

struct DecodedRequest {
  EncodedRows rows;
  std::size_t accepted = 0;
  std::vector<Rejection> rejected;
  std::vector<Rejection> flagged;  ///< of those accepted
  RouteSightings routes;           ///< what the accepted elements say about routes

  /// Whether an element of this time is taken; else it is listed in `rejected`. One that is ahead is listed in
  /// `flagged`.
  bool in_range(std::size_t index, Instant time, const DecodeContext& context);
};

/// Reads a body (JSON: one object or an array of them; taken over) and encodes rows for the engine: checked, masked,
/// cut, completed. All or nothing: the first thing that is wrong is the error, with the element and member as a JSON
/// pointer. Pure CPU work, any thread. The body is grown by simdjson's padding when its capacity does not hold it.
using Decode = Expected<DecodedRequest> (*)(std::string body, const DecodeRules& rules, const DecodeContext& context);

Expected<DecodedRequest> decode_executions(std::string body, const DecodeRules& rules, const DecodeContext& context);
Expected<DecodedRequest> decode_chunks(std::string body, const DecodeRules& rules, const DecodeContext& context);
Expected<DecodedRequest> decode_logs(std::string body, const DecodeRules& rules, const DecodeContext& context);
Expected<DecodedRequest> decode_metrics(std::string body, const DecodeRules& rules, const DecodeContext& context);
Expected<DecodedRequest> decode_events(std::string body, const DecodeRules& rules, const DecodeContext& context);
Expected<DecodedRequest> decode_diagrams(std::string body, const DecodeRules& rules, const DecodeContext& context);

}  // namespace cameleer::server
