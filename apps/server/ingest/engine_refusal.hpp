#pragma once
#include <cameleer/clickhouse/client.hpp>
#include <cstdint>

namespace cameleer::server {

/// Why the engine did not take rows.
enum class Refusal : std::uint8_t {
  content,  ///< it will never take these bytes
  passing,  ///< load, outage, state or rights of the store: the same rows are taken later
  unclear,  ///< it answered, and it may be either
};
Refusal refusal_of(const clickhouse::EngineError& error);

}  // namespace cameleer::server
