#include "server/ingest/signal_rows.hpp"

namespace cameleer::server {
namespace {

using Element = JsonMembers::Element;
using Name = std::string_view;

constexpr auto kId = DecodeRules::max_id_characters;

struct MetricView : SignalView {
  std::optional<double> value;
  Name metric_name, type;
  MapView tags;
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
#define READ(call) [](JsonMembers& m, Name n, Element v, MetricView& d) { return call; }

constexpr MemberRule<MetricView> kRules[] = {
    {"metricName", READ(read_name(m, n, v, d.metric_name, kId))},
    {"value", READ(read_number(m, n, v, d.value))},
    {"timestamp", READ(d.instants->read(m, n, v, d.timestamp))},
    {"tags", READ(read_map(m, n, v, DecodeRules::max_map_entries, d.tags))},
    {"type", READ(read_name(m, n, v, d.type, 32))},
    {"application", READ(read_name(m, n, v, d.application, kId))},
    {"instanceId", READ(read_name(m, n, v, d.instance_id, kId))},
};
#undef READ
// clang-format on

constexpr MemberTable<MetricView> kMembers(kRules);

class Metrics {
 public:
  using View = MetricView;
  static constexpr Name table = "agent_metrics";
  static const MemberTable<MetricView>& members() { return kMembers; }
  static std::span<const Column> columns() {
    static const std::vector<Column> columns{{"tenant_id", kName},   {"environment", kName}, {"application", kName},
                                             {"instance_id", kName}, {"time", kTime},        {"row_id", kText},
                                             {"metric_name", kName}, {"metric_type", kName}, {"value", "Float64"},
                                             {"tags", kMap},         {"truncated", kNames},  {"version", "UInt64"}};
    return columns;
  }
  static bool complete(JsonMembers& members, const MetricView& view) {
    return require(members, {{"metricName", !view.metric_name.empty()},
                             {"value", view.value.has_value()},
                             {"timestamp", view.timestamp.has_value()}});
  }

  explicit Metrics(clickhouse::Block& block)
      : metric_name_(block.names("metric_name")),
        metric_type_(block.names("metric_type")),
        value_(block.numbers<double>("value")),
        tags_(block.lists("tags")),
        truncated_(block.lists("truncated")) {}

  void add(const MetricView& view, std::size_t row, StoredTexts& texts) {
    metric_name_.add(view.metric_name);
    metric_type_.add(view.type);
    value_.add(*view.value);
    texts.map("tags", view.tags, row, tags_);
    texts.end_row(row, truncated_);
  }

 private:
  clickhouse::Names &metric_name_, &metric_type_;
  clickhouse::Numbers<double>& value_;
  clickhouse::Lists &tags_, &truncated_;
};

}  // namespace

Expected<DecodedRequest> decode_metrics(std::string body, const DecodeRules& rules, const DecodeContext& context) {
  return decode_signals<Metrics>(body, rules, context);
}

}  // namespace cameleer::server
