#include "server/ingest/decode_rules.hpp"
#include "server/ingest/json_records.hpp"
#include "server/ingest/row_identity.hpp"
#include "server/ingest/row_writer.hpp"

namespace cameleer::server {
namespace {

using Element = JsonMembers::Element;
using Name = std::string_view;

constexpr auto kId = DecodeRules::max_id_characters;

struct LogRecord {
  std::optional<Instant> timestamp;
  std::string application, instance_id, level, logger, thread, message, stack_trace, source;
  StringMap mdc;
  std::string exchange_id, route_id, processor_id;
  std::vector<std::string> truncated;
};

// clang-format off
#define READ(call) [](JsonMembers& m, Name n, Element v, LogRecord& d) { return m.call; }

constexpr MemberRule<LogRecord> kRules[] = {
    {"timestamp", READ(instant(n, v, d.timestamp))},
    {"level", READ(name(n, v, d.level, 32))},
    {"logger", READ(text(n, v, d.logger))},
    {"thread", READ(text(n, v, d.thread))},
    {"message", READ(text(n, v, d.message))},
    {"stackTrace", READ(text(n, v, d.stack_trace))},
    {"mdc", READ(map(n, v, d.mdc, DecodeRules::max_map_entries))},
    {"source", READ(name(n, v, d.source, 32))},
    {"exchangeId", READ(name(n, v, d.exchange_id, kId))},
    {"routeId", READ(name(n, v, d.route_id, kId))},
    {"application", READ(name(n, v, d.application, kId))},
    {"instanceId", READ(name(n, v, d.instance_id, kId))},
};
#undef READ
// clang-format on

std::span<const Column> columns() {
  static const std::vector<Column> columns{{"tenant_id", kName},    {"environment", kName}, {"application", kName},
                                           {"instance_id", kName},  {"time", kTime},        {"row_id", kText},
                                           {"level", kName},        {"logger", kName},      {"thread", kText},
                                           {"message", kText},      {"stack_trace", kText}, {"mdc", kMap},
                                           {"source", kName},       {"exchange_id", kText}, {"route_id", kName},
                                           {"processor_id", kName}, {"truncated", kNames},  {"version", "UInt64"}};
  return columns;
}

bool read_record(JsonMembers& members, Element element, LogRecord& into) {
  simdjson::dom::object object;
  if (!read_object(members, element, object)) return false;
  if (!read_members<LogRecord>(members, object, kRules, into)) return false;
  return require(members, {{"timestamp", into.timestamp.has_value()}, {"level", !into.level.empty()}});
}

// The first of these keys that the MDC has, when it is fit for an id.
void take_from_mdc(const StringMap& mdc, std::initializer_list<Name> keys, std::string& into) {
  if (!into.empty()) return;
  for (const auto key : keys) {
    for (const auto& [name, value] : mdc) {
      if (name != key || value.empty() || value.size() > kId || value.find('\0') != std::string::npos) continue;
      into = value;
      return;
    }
  }
}

void complete(LogRecord& record, const Masker& masker, const DecodeRules& rules, const DecodeContext& context) {
  if (record.application.empty()) record.application = context.application;
  if (record.instance_id.empty()) record.instance_id = context.agent_id;
  if (record.source.empty()) record.source = "app";
  take_from_mdc(record.mdc, {"cameleer.exchangeId", "camel.exchangeId"}, record.exchange_id);
  take_from_mdc(record.mdc, {"cameleer.routeId", "camel.routeId"}, record.route_id);
  take_from_mdc(record.mdc, {"cameleer.processorId"}, record.processor_id);
  masker.mask(record.mdc);
  const auto most = rules.body_bytes;
  cut_text(record.logger, most, "logger", record.truncated);
  cut_text(record.thread, most, "thread", record.truncated);
  cut_text(record.message, most, "message", record.truncated);
  cut_text(record.stack_trace, most, "stackTrace", record.truncated);
  cut_map(record.mdc, most, "mdc", record.truncated);
}

void append(const LogRecord& record, const std::string& row_id, const DecodeRules& rules, const DecodeContext& context,
            clickhouse::Block& block) {
  RowWriter(block)
      .text(rules.tenant)
      .text(context.environment)
      .text(record.application)
      .text(record.instance_id)
      .time(*record.timestamp)
      .text(row_id)
      .text(record.level)
      .text(record.logger)
      .text(record.thread)
      .text(record.message)
      .text(record.stack_trace)
      .map(record.mdc)
      .text(record.source)
      .text(record.exchange_id)
      .text(record.route_id)
      .text(record.processor_id)
      .names(record.truncated)
      .natural(row_version(1, context.now));
}

}  // namespace

Expected<DecodedRequest> decode_logs(std::string body, const DecodeRules& rules, const DecodeContext& context) {
  DecodedRequest request;
  const RowIds ids(context.agent_id, context.idempotency_key, body);
  const Masker masker(rules.sensitive_keys);
  auto block = block_of(columns());
  auto read =
      for_each_element(body, DecodeRules::max_elements, [&](JsonMembers& members, std::size_t index, Element element) {
        LogRecord record;
        if (!read_record(members, element, record)) return false;
        if (!request.in_range(index, *record.timestamp, context)) return true;
        complete(record, masker, rules, context);
        append(record, ids.of(index), rules, context, block);
        return true;
      });
  if (!read) return std::unexpected(std::move(read.error()));
  request.accepted = block.rows();
  if (block.rows() > 0) request.rows.parts.push_back(part_of("logs", columns(), block));
  return request;
}

}  // namespace cameleer::server
