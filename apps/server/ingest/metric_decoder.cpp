#include "server/ingest/decode_rules.hpp"
#include "server/ingest/json_records.hpp"
#include "server/ingest/row_identity.hpp"
#include "server/ingest/row_writer.hpp"

namespace cameleer::server {
namespace {

using Element = JsonMembers::Element;
using Name = std::string_view;

constexpr auto kId = DecodeRules::max_id_characters;

struct MetricRecord {
  std::optional<Instant> timestamp;
  std::optional<double> value;
  std::string application, instance_id, metric_name, type;
  StringMap tags;
  std::vector<std::string> truncated;
};

// JSON has no infinities, and a number beyond a double is no JSON to the parser: what is read is finite.
bool read_number(JsonMembers& members, Name name, Element value, std::optional<double>& into) {
  double number = 0;
  if (value.is_null()) return true;
  if (value.get(number) != simdjson::SUCCESS) return members.refuse(name, "must be a number");
  into = number;
  return true;
}

// clang-format off
#define READ(call) [](JsonMembers& m, Name n, Element v, MetricRecord& d) { return m.call; }

constexpr MemberRule<MetricRecord> kRules[] = {
    {"metricName", READ(name(n, v, d.metric_name, kId))},
    {"value", [](JsonMembers& m, Name n, Element v, MetricRecord& d) { return read_number(m, n, v, d.value); }},
    {"timestamp", READ(instant(n, v, d.timestamp))},
    {"tags", READ(map(n, v, d.tags, DecodeRules::max_map_entries))},
    {"type", READ(name(n, v, d.type, 32))},
    {"application", READ(name(n, v, d.application, kId))},
    {"instanceId", READ(name(n, v, d.instance_id, kId))},
};
#undef READ
// clang-format on

std::span<const Column> columns() {
  static const std::vector<Column> columns{{"tenant_id", kName},   {"environment", kName}, {"application", kName},
                                           {"instance_id", kName}, {"time", kTime},        {"row_id", kText},
                                           {"metric_name", kName}, {"metric_type", kName}, {"value", "Float64"},
                                           {"tags", kMap},         {"truncated", kNames},  {"version", "UInt64"}};
  return columns;
}

bool read_record(JsonMembers& members, Element element, MetricRecord& into) {
  simdjson::dom::object object;
  if (!read_object(members, element, object)) return false;
  if (!read_members<MetricRecord>(members, object, kRules, into)) return false;
  return require(members, {{"metricName", !into.metric_name.empty()},
                           {"value", into.value.has_value()},
                           {"timestamp", into.timestamp.has_value()}});
}

void append(const MetricRecord& record, const std::string& row_id, const DecodeRules& rules,
            const DecodeContext& context, clickhouse::Block& block) {
  RowWriter(block)
      .text(rules.tenant)
      .text(context.environment)
      .text(record.application.empty() ? context.application : record.application)
      .text(record.instance_id.empty() ? context.agent_id : record.instance_id)
      .time(*record.timestamp)
      .text(row_id)
      .text(record.metric_name)
      .text(record.type)
      .number(*record.value)
      .map(record.tags)
      .names(record.truncated)
      .natural(row_version(1, context.now));
}

}  // namespace

Expected<DecodedRequest> decode_metrics(std::string body, const DecodeRules& rules, const DecodeContext& context) {
  DecodedRequest request;
  const RowIds ids(context.agent_id, context.idempotency_key, body);
  const Masker masker(rules.sensitive_keys);
  auto block = block_of(columns());
  auto read =
      for_each_element(body, DecodeRules::max_elements, [&](JsonMembers& members, std::size_t index, Element element) {
        MetricRecord record;
        if (!read_record(members, element, record)) return false;
        if (!request.in_range(index, *record.timestamp, context)) return true;
        masker.mask(record.tags);
        cut_map(record.tags, rules.body_bytes, "tags", record.truncated);
        append(record, ids.of(index), rules, context, block);
        return true;
      });
  if (!read) return std::unexpected(std::move(read.error()));
  request.accepted = block.rows();
  if (block.rows() > 0) request.rows.parts.push_back(part_of("agent_metrics", columns(), block));
  return request;
}

}  // namespace cameleer::server
