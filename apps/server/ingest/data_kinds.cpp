#include "server/ingest/data_kinds.hpp"

namespace cameleer::server {
namespace {

constexpr DataKindInfo kTable[] = {
    {DataKind::executions, "executions", "ingestExecutions", decode_executions},
    {DataKind::chunks, "chunks", "ingestChunks", decode_chunks},
    {DataKind::logs, "logs", "ingestLogs", decode_logs},
    {DataKind::metrics, "metrics", "ingestMetrics", decode_metrics},
    {DataKind::events, "events", "ingestEvents", decode_events},
    {DataKind::diagrams, "diagrams", "ingestDiagrams", decode_diagrams},
};
static_assert(std::size(kTable) == kDataKinds);

}  // namespace

std::span<const DataKindInfo> data_kinds() {
  return kTable;
}

const DataKindInfo& info_of(DataKind kind) {
  return kTable[static_cast<std::size_t>(kind)];
}

}  // namespace cameleer::server
