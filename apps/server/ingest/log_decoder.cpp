#include "server/ingest/signal_rows.hpp"

namespace cameleer::server {
namespace {

using Element = JsonMembers::Element;
using Name = std::string_view;

constexpr auto kId = DecodeRules::max_id_characters;

struct LogView : SignalView {
  Name level, logger, thread, message, stack_trace, source;
  MapView mdc;
  Name exchange_id, route_id;
};

// clang-format off
#define READ(call) [](JsonMembers& m, Name n, Element v, LogView& d) { return call; }

constexpr MemberRule<LogView> kRules[] = {
    {"timestamp", READ(d.instants->read(m, n, v, d.timestamp))},
    {"level", READ(read_name(m, n, v, d.level, 32))},
    {"logger", READ(read_text(m, n, v, d.logger))},
    {"thread", READ(read_text(m, n, v, d.thread))},
    {"message", READ(read_text(m, n, v, d.message))},
    {"stackTrace", READ(read_text(m, n, v, d.stack_trace))},
    {"mdc", READ(read_map(m, n, v, DecodeRules::max_map_entries, d.mdc))},
    {"source", READ(read_name(m, n, v, d.source, 32))},
    {"exchangeId", READ(read_name(m, n, v, d.exchange_id, kId))},
    {"routeId", READ(read_name(m, n, v, d.route_id, kId))},
    {"application", READ(read_name(m, n, v, d.application, kId))},
    {"instanceId", READ(read_name(m, n, v, d.instance_id, kId))},
};
#undef READ
// clang-format on

constexpr MemberTable<LogView> kMembers(kRules);

// What was given, or the first of these keys that the MDC has, when it is fit for an id.
Name given_or_from_mdc(Name given, const MapView& mdc, std::initializer_list<Name> keys) {
  for (const auto key : keys) {
    if (!given.empty()) break;
    mdc.each([&](Name name, Name value) {
      if (name == key && value.size() <= kId && value.find('\0') == Name::npos) given = value;
      return given.empty();
    });
  }
  return given;
}

class Logs {
 public:
  using View = LogView;
  static constexpr Name table = "logs";
  static const MemberTable<LogView>& members() { return kMembers; }
  static std::span<const Column> columns() {
    static const std::vector<Column> columns{{"tenant_id", kName},    {"environment", kName}, {"application", kName},
                                             {"instance_id", kName},  {"time", kTime},        {"row_id", kText},
                                             {"level", kName},        {"logger", kName},      {"thread", kText},
                                             {"message", kText},      {"stack_trace", kText}, {"mdc", kMap},
                                             {"source", kName},       {"exchange_id", kText}, {"route_id", kName},
                                             {"processor_id", kName}, {"truncated", kNames},  {"version", "UInt64"}};
    return columns;
  }
  static bool complete(JsonMembers& members, const LogView& view) {
    return require(members, {{"timestamp", view.timestamp.has_value()}, {"level", !view.level.empty()}});
  }

  explicit Logs(clickhouse::Block& block)
      : level_(block.names("level")),
        logger_(block.names("logger")),
        source_(block.names("source")),
        route_id_(block.names("route_id")),
        processor_id_(block.names("processor_id")),
        thread_(block.texts("thread")),
        message_(block.texts("message")),
        stack_trace_(block.texts("stack_trace")),
        exchange_id_(block.texts("exchange_id")),
        mdc_(block.lists("mdc")),
        truncated_(block.lists("truncated")) {}

  void add(const LogView& view, std::size_t row, StoredTexts& texts) {
    level_.add(view.level);
    source_.add(view.source.empty() ? "app" : view.source);
    exchange_id_.add(given_or_from_mdc(view.exchange_id, view.mdc, {"cameleer.exchangeId", "camel.exchangeId"}));
    route_id_.add(given_or_from_mdc(view.route_id, view.mdc, {"cameleer.routeId", "camel.routeId"}));
    processor_id_.add(given_or_from_mdc({}, view.mdc, {"cameleer.processorId"}));
    texts.text("logger", view.logger, row, logger_);
    texts.text("thread", view.thread, row, thread_);
    texts.text("message", view.message, row, message_);
    texts.text("stackTrace", view.stack_trace, row, stack_trace_);
    texts.map("mdc", view.mdc, row, mdc_);
    texts.end_row(row, truncated_);
  }

 private:
  clickhouse::Names &level_, &logger_, &source_, &route_id_, &processor_id_;
  clickhouse::Texts &thread_, &message_, &stack_trace_, &exchange_id_;
  clickhouse::Lists &mdc_, &truncated_;
};

}  // namespace

Expected<DecodedRequest> decode_logs(std::string body, const DecodeRules& rules, const DecodeContext& context) {
  return decode_signals<Logs>(body, rules, context);
}

}  // namespace cameleer::server
