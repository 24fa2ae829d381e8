#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/core/execution.hpp>
#include <cameleer/core/sensitive_keys.hpp>
#include <memory>
#include <string>
#include <vector>

#include "server/ingest/batch_writer.hpp"

namespace cameleer::server {

/// What a request is measured against. Shared by threads, so it never changes.
struct DecodeRules {
  std::string tenant = "default";
  std::size_t body_bytes = 64 * 1024;  ///< texts are cut to so many bytes, at a character
  std::shared_ptr<const SensitiveKeys> sensitive_keys;

  static constexpr std::size_t max_elements = 10'000;
  static constexpr std::size_t max_processors = 20'000;  ///< of one execution
  static constexpr std::size_t max_depth = 1'000;        ///< of JSON nesting
  static constexpr std::size_t max_id_characters = 256;
  static constexpr std::size_t max_map_entries = 1'000;
};

/// Where and when a request came from.
struct DecodeContext {
  std::string environment, application, agent_id;
  Instant now{}, oldest{}, newest{};  ///< executions that start before `oldest` or after `newest` are refused alone
};

/// An element that was refused alone.
struct Rejection {
  std::size_t index = 0;    ///< position in the request
  std::string_view reason;  ///< `too_old` or `in_future`
};

struct DecodedRequest {
  EncodedRows rows;
  std::size_t accepted = 0;
  std::vector<Rejection> rejected;
};

/// Reads one execution or an array of them and encodes rows for the engine: checked, masked, cut, completed. All or
/// nothing: the first thing that is wrong is the error, with the element and member as a JSON pointer. Pure CPU work.
/// The body is grown by simdjson's padding when its capacity does not hold it already.
Expected<DecodedRequest> decode_executions(std::string body, const DecodeRules& rules, const DecodeContext& context);

/// The same, as records (for tests and tools): every element, also those outside the time range.
Expected<std::vector<Execution>> read_executions(std::string& body);

}  // namespace cameleer::server
