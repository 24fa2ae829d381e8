#include <limits>

#include "server/ingest/signal_rows.hpp"

namespace cameleer::server {
namespace {

using Element = JsonMembers::Element;
using Name = std::string_view;

constexpr auto kId = DecodeRules::max_id_characters;
constexpr auto kWhole = std::numeric_limits<std::size_t>::max();  // never cut: it would be no JSON any more

struct EventView : SignalView {
  Name type;
  std::string detail = "{}";
};

bool read_detail(JsonMembers& members, Name name, Element value, EventView& into) {
  if (value.is_null()) return true;
  if (!value.is_object()) return members.refuse(name, "must be an object");
  return read_json(members, name, value, DecodeRules::max_detail_depth, DecodeRules::max_detail_bytes, into.detail);
}

// clang-format off
#define READ(call) [](JsonMembers& m, Name n, Element v, EventView& d) { return call; }

constexpr MemberRule<EventView> kRules[] = {
    {"type", READ(read_name(m, n, v, d.type, 128))},
    {"timestamp", READ(d.instants->read(m, n, v, d.timestamp))},
    {"detail", read_detail},
    {"application", READ(read_name(m, n, v, d.application, kId))},
    {"instanceId", READ(read_name(m, n, v, d.instance_id, kId))},
};
#undef READ
// clang-format on

constexpr MemberTable<EventView> kMembers(kRules);

class Events {
 public:
  using View = EventView;
  static constexpr Name table = "agent_events";
  static const MemberTable<EventView>& members() { return kMembers; }
  static std::span<const Column> columns() {
    static const std::vector<Column> columns{{"tenant_id", kName},   {"environment", kName}, {"application", kName},
                                             {"instance_id", kName}, {"time", kTime},        {"row_id", kText},
                                             {"event_type", kName},  {"detail", kText},      {"version", "UInt64"}};
    return columns;
  }
  static bool complete(JsonMembers& members, const EventView& view) {
    return require(members, {{"type", !view.type.empty()}, {"timestamp", view.timestamp.has_value()}});
  }

  explicit Events(clickhouse::Block& block) : event_type_(block.names("event_type")), detail_(block.texts("detail")) {}

  void add(const EventView& view, std::size_t row, StoredTexts& texts) {
    event_type_.add(view.type);
    texts.body("detail", view.detail, kWhole, row, detail_);
  }

 private:
  clickhouse::Names& event_type_;
  clickhouse::Texts& detail_;
};

}  // namespace

Expected<DecodedRequest> decode_events(std::string body, const DecodeRules& rules, const DecodeContext& context) {
  return decode_signals<Events>(body, rules, context);
}

}  // namespace cameleer::server
