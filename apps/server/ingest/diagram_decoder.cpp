#include <fmt/format.h>

#include <cameleer/identity/encoding.hpp>

#include "server/ingest/decode_rules.hpp"
#include "server/ingest/json_records.hpp"
#include "server/ingest/row_identity.hpp"
#include "server/ingest/row_writer.hpp"
#include "server/ingest/stored_texts.hpp"

namespace cameleer::server {
namespace {

using Element = JsonMembers::Element;
using Name = std::string_view;

constexpr auto kId = DecodeRules::max_id_characters;

struct DiagramView {
  Name application, instance_id, route_id, description, source;
  std::string diagram_hash, version;
  std::string nodes = "[]", edges = "[]";
};

// Counted by some sources, named by others.
bool read_version(JsonMembers& members, Name name, Element value, DiagramView& into) {
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
#define READ(call) [](JsonMembers& m, Name n, Element v, DiagramView& d) { return call; }

constexpr MemberRule<DiagramView> kRules[] = {
    {"routeId", READ(read_name(m, n, v, d.route_id, kId))},
    {"diagramHash", READ(m.name(n, v, d.diagram_hash, 128))},
    {"version", read_version},
    {"description", READ(read_text(m, n, v, d.description))},
    {"nodes", READ(read_graph(m, n, v, d.nodes))},
    {"edges", READ(read_graph(m, n, v, d.edges))},
    {"source", READ(read_text(m, n, v, d.source))},
    {"application", READ(read_name(m, n, v, d.application, kId))},
    {"instanceId", READ(read_name(m, n, v, d.instance_id, kId))},
};
#undef READ
// clang-format on

constexpr MemberTable<DiagramView> kMembers(kRules);

std::span<const Column> columns() {
  static const std::vector<Column> columns{{"tenant_id", kName},  {"environment", kName},   {"application", kName},
                                           {"route_id", kName},   {"diagram_hash", kText},  {"instance_id", kName},
                                           {"first_seen", kTime}, {"route_version", kText}, {"description", kText},
                                           {"graph", kText},      {"source", kText},        {"truncated", kNames},
                                           {"version", "UInt64"}};
  return columns;
}

bool read_view(JsonMembers& members, Element element, DiagramView& into) {
  simdjson::dom::object object;
  if (!read_object(members, element, object) || !read_members(members, object, kMembers, into)) return false;
  if (!require(members, {{"routeId", !into.route_id.empty()}})) return false;
  if (into.diagram_hash.empty()) into.diagram_hash = identity::sha256_hex(simdjson::minify(element));
  return true;
}

// Diagrams are few: their cells are not filled by name once a request, but each time.
void add(const DiagramView& view, std::size_t row, const DecodeRules& rules, const DecodeContext& context,
         StoredTexts& texts, clickhouse::Block& block) {
  block.names("tenant_id").add(rules.tenant);
  block.names("environment").add(context.environment);
  block.names("application").add(view.application.empty() ? Name(context.application) : view.application);
  block.names("route_id").add(view.route_id);
  block.texts("diagram_hash").add(view.diagram_hash);
  block.names("instance_id").add(view.instance_id.empty() ? Name(context.agent_id) : view.instance_id);
  put(block.numbers<std::int64_t>("first_seen"), row, context.now);
  block.texts("route_version").add(view.version);
  texts.text("description", view.description, row, block.texts("description"));
  block.texts("graph").add(fmt::format(R"({{"nodes":{},"edges":{}}})", view.nodes, view.edges));
  texts.body("source", view.source, DecodeRules::max_graph_bytes, row, block.texts("source"));
  texts.end_row(row, block.lists("truncated"));
  block.numbers<std::uint64_t>("version").add(row_version(1, context.now));
}

}  // namespace

Expected<DecodedRequest> decode_diagrams(std::string body, const DecodeRules& rules, const DecodeContext& context) {
  DecodedRequest request;
  StoredTexts texts(rules.sensitive_keys, rules.body_bytes);
  auto block = block_of(columns());
  std::size_t rows = 0;
  auto read =
      for_each_element(body, DecodeRules::max_diagrams, [&](JsonMembers& members, std::size_t, Element element) {
        DiagramView view;
        if (!read_view(members, element, view)) return false;
        request.routes.note(view.application.empty() ? Name(context.application) : view.application, view.route_id,
                            context.now, context.now);
        add(view, rows++, rules, context, texts, block);
        return true;
      });
  if (!read) return std::unexpected(std::move(read.error()));
  request.accepted = rows;
  block.pad(rows);
  if (rows > 0) request.rows.parts.push_back(part_of("route_diagrams", columns(), block));
  return request;
}

}  // namespace cameleer::server
