#pragma once
#include <span>
#include <string_view>

#include "server/ingest/decode_rules.hpp"

namespace cameleer::server {

/// What agents send, each to a path of its own.
enum class DataKind : std::uint8_t { executions, chunks, logs, metrics, events, diagrams };
inline constexpr std::size_t kDataKinds = 6;

struct DataKindInfo {
  DataKind kind;
  std::string_view name;          ///< last segment of the path, and label of its figures
  std::string_view operation_id;  ///< of its route
  Decode decode;
};

/// All kinds, in the order of the enum.
std::span<const DataKindInfo> data_kinds();
const DataKindInfo& info_of(DataKind kind);

}  // namespace cameleer::server
