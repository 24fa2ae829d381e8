#include "server/ingest/decode_rules.hpp"
#include "server/ingest/json_records.hpp"
#include "server/ingest/row_identity.hpp"
#include "server/ingest/row_writer.hpp"

namespace cameleer::server {
namespace {

using Element = JsonMembers::Element;
using Name = std::string_view;

constexpr auto kId = DecodeRules::max_id_characters;

struct EventRecord {
  std::optional<Instant> timestamp;
  std::string application, instance_id, type, detail;
};

bool read_detail(JsonMembers& members, Name name, Element value, EventRecord& into) {
  if (value.is_null()) return true;
  if (!value.is_object()) return members.refuse(name, "must be an object");
  return read_json(members, name, value, DecodeRules::max_detail_depth, DecodeRules::max_detail_bytes, into.detail);
}

// clang-format off
#define READ(call) [](JsonMembers& m, Name n, Element v, EventRecord& d) { return m.call; }

constexpr MemberRule<EventRecord> kRules[] = {
    {"type", READ(name(n, v, d.type, 128))},
    {"timestamp", READ(instant(n, v, d.timestamp))},
    {"detail", read_detail},
    {"application", READ(name(n, v, d.application, kId))},
    {"instanceId", READ(name(n, v, d.instance_id, kId))},
};
#undef READ
// clang-format on

std::span<const Column> columns() {
  static const std::vector<Column> columns{{"tenant_id", kName},   {"environment", kName}, {"application", kName},
                                           {"instance_id", kName}, {"time", kTime},        {"row_id", kText},
                                           {"event_type", kName},  {"detail", kText},      {"version", "UInt64"}};
  return columns;
}

bool read_record(JsonMembers& members, Element element, EventRecord& into) {
  simdjson::dom::object object;
  if (!read_object(members, element, object)) return false;
  if (!read_members<EventRecord>(members, object, kRules, into)) return false;
  return require(members, {{"type", !into.type.empty()}, {"timestamp", into.timestamp.has_value()}});
}

void append(const EventRecord& record, const std::string& row_id, const DecodeRules& rules,
            const DecodeContext& context, clickhouse::Block& block) {
  RowWriter(block)
      .text(rules.tenant)
      .text(context.environment)
      .text(record.application.empty() ? context.application : record.application)
      .text(record.instance_id.empty() ? context.agent_id : record.instance_id)
      .time(*record.timestamp)
      .text(row_id)
      .text(record.type)
      .text(record.detail.empty() ? "{}" : record.detail)
      .natural(row_version(1, context.now));
}

}  // namespace

Expected<DecodedRequest> decode_events(std::string body, const DecodeRules& rules, const DecodeContext& context) {
  DecodedRequest request;
  const RowIds ids(context.agent_id, context.idempotency_key, body);
  Masker masker(rules.sensitive_keys);
  auto block = block_of(columns());
  auto read =
      for_each_element(body, DecodeRules::max_elements, [&](JsonMembers& members, std::size_t index, Element element) {
        EventRecord record;
        if (!read_record(members, element, record)) return false;
        if (!request.in_range(index, *record.timestamp, context)) return true;
        masker.mask_body(record.detail);
        append(record, ids.of(index), rules, context, block);
        return true;
      });
  if (!read) return std::unexpected(std::move(read.error()));
  request.accepted = block.rows();
  if (block.rows() > 0) request.rows.parts.push_back(part_of("agent_events", columns(), block));
  return request;
}

}  // namespace cameleer::server
