#include <fmt/format.h>

#include <cameleer/identity/encoding.hpp>

#include "server/ingest/decode_rules.hpp"
#include "server/ingest/json_records.hpp"
#include "server/ingest/row_identity.hpp"
#include "server/ingest/row_writer.hpp"

namespace cameleer::server {
namespace {

using Element = JsonMembers::Element;
using Name = std::string_view;

constexpr auto kId = DecodeRules::max_id_characters;

struct DiagramRecord {
  std::string application, instance_id, route_id, diagram_hash, version, description, source;
  std::string nodes = "[]", edges = "[]";
  std::vector<std::string> truncated;
};

// Counted by some sources, named by others.
bool read_version(JsonMembers& members, Name name, Element value, DiagramRecord& into) {
  std::int64_t number = 0;
  if (!value.is_int64() || value.get(number) != simdjson::SUCCESS) return members.name(name, value, into.version, kId);
  into.version = std::to_string(number);
  return true;
}

bool read_graph(JsonMembers& members, Name name, Element value, std::string& into) {
  if (value.is_null()) return true;
  if (!value.is_array()) return members.refuse(name, "must be an array");
  return read_json(members, name, value, DecodeRules::max_graph_depth, DecodeRules::max_graph_bytes, into);
}

// clang-format off
#define READ(call) [](JsonMembers& m, Name n, Element v, DiagramRecord& d) { return m.call; }

constexpr MemberRule<DiagramRecord> kRules[] = {
    {"routeId", READ(name(n, v, d.route_id, kId))},
    {"diagramHash", READ(name(n, v, d.diagram_hash, 128))},
    {"version", read_version},
    {"description", READ(text(n, v, d.description))},
    {"nodes", [](JsonMembers& m, Name n, Element v, DiagramRecord& d) { return read_graph(m, n, v, d.nodes); }},
    {"edges", [](JsonMembers& m, Name n, Element v, DiagramRecord& d) { return read_graph(m, n, v, d.edges); }},
    {"source", READ(text(n, v, d.source))},
    {"application", READ(name(n, v, d.application, kId))},
    {"instanceId", READ(name(n, v, d.instance_id, kId))},
};
#undef READ
// clang-format on

std::span<const Column> columns() {
  static const std::vector<Column> columns{{"tenant_id", kName},  {"environment", kName},   {"application", kName},
                                           {"route_id", kName},   {"diagram_hash", kText},  {"instance_id", kName},
                                           {"first_seen", kTime}, {"route_version", kText}, {"description", kText},
                                           {"graph", kText},      {"source", kText},        {"truncated", kNames},
                                           {"version", "UInt64"}};
  return columns;
}

bool read_record(JsonMembers& members, Element element, DiagramRecord& into) {
  simdjson::dom::object object;
  if (!read_object(members, element, object)) return false;
  if (!read_members<DiagramRecord>(members, object, kRules, into)) return false;
  if (!require(members, {{"routeId", !into.route_id.empty()}})) return false;
  if (into.diagram_hash.empty()) into.diagram_hash = identity::sha256_hex(simdjson::minify(element));
  return true;
}

void complete(DiagramRecord& record, Masker& masker, const DecodeRules& rules, const DecodeContext& context) {
  if (record.application.empty()) record.application = context.application;
  if (record.instance_id.empty()) record.instance_id = context.agent_id;
  masker.mask_body(record.source);
  cut_text(record.description, rules.body_bytes, "description", record.truncated);
  cut_text(record.source, DecodeRules::max_graph_bytes, "source", record.truncated);
}

void append(const DiagramRecord& record, const DecodeRules& rules, const DecodeContext& context,
            clickhouse::Block& block) {
  RowWriter(block)
      .text(rules.tenant)
      .text(context.environment)
      .text(record.application)
      .text(record.route_id)
      .text(record.diagram_hash)
      .text(record.instance_id)
      .time(context.now)
      .text(record.version)
      .text(record.description)
      .text(fmt::format(R"({{"nodes":{},"edges":{}}})", record.nodes, record.edges))
      .text(record.source)
      .names(record.truncated)
      .natural(row_version(1, context.now));
}

}  // namespace

Expected<DecodedRequest> decode_diagrams(std::string body, const DecodeRules& rules, const DecodeContext& context) {
  DecodedRequest request;
  Masker masker(rules.sensitive_keys);
  auto block = block_of(columns());
  auto read =
      for_each_element(body, DecodeRules::max_diagrams, [&](JsonMembers& members, std::size_t, Element element) {
        DiagramRecord record;
        if (!read_record(members, element, record)) return false;
        complete(record, masker, rules, context);
        request.routes.note(record.application, record.route_id, context.now, context.now);
        append(record, rules, context, block);
        return true;
      });
  if (!read) return std::unexpected(std::move(read.error()));
  request.accepted = block.rows();
  if (block.rows() > 0) request.rows.parts.push_back(part_of("route_diagrams", columns(), block));
  return request;
}

}  // namespace cameleer::server
