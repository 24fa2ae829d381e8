#include "agent-sim/content.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <optional>

namespace cameleer::sim {
namespace {

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  void open(char bracket) {
    separate();
    out_ += bracket;
    fresh_ = true;
  }
  void close(char bracket) {
    out_ += bracket;
    fresh_ = false;
  }
  void name(std::string_view text) {
    separate();
    out_.append("\"").append(text).append("\":");
    fresh_ = true;
  }
  void text(std::string_view member, std::string_view value) {
    if (!value.empty()) quoted(member, value);
  }
  void quoted(std::string_view member, std::string_view value) {
    name(member);
    out_ += boost::json::serialize(boost::json::string_view(value.data(), value.size()));
    fresh_ = false;
  }
  template <class Number>
  void number(std::string_view member, const std::optional<Number>& value) {
    if (!value) return;
    name(member);
    out_ += fmt::format("{}", *value);
    fresh_ = false;
  }
  void instant(std::string_view member, Instant value) { quoted(member, format_instant(value)); }
  void map(std::string_view member, StringMap entries) {
    if (entries.empty()) return;
    std::sort(entries.begin(), entries.end());
    name(member);
    open('{');
    for (const auto& [key, value] : entries) {
      separate();
      out_ += boost::json::serialize(boost::json::string_view(key.data(), key.size()));
      out_ += ':';
      out_ += boost::json::serialize(boost::json::string_view(value.data(), value.size()));
    }
    close('}');
  }
  void message(const Message& message) {
    if (message.input_body) quoted("inputBody", message.input_body->text);
    map("inputHeaders", message.input_headers);
    if (message.output_body) quoted("outputBody", message.output_body->text);
    map("outputHeaders", message.output_headers);
  }

 private:
  void separate() {
    if (!fresh_) out_ += ',';
    fresh_ = false;
  }
  std::string& out_;
  bool fresh_ = true;
};

void render_step(const ProcessorExecution& step, Writer& json) {
  json.open('{');
  json.text("processorId", step.processor_id);
  json.text("processorType", step.processor_type);
  json.number("seq", std::optional(step.seq));
  json.number("parentSeq", step.parent_seq);
  json.text("status", step.status);
  json.instant("startTime", step.start_time);
  json.number("durationMs", step.duration_ms);
  json.number("splitIndex", step.split_index);
  json.text("endpointUri", step.endpoint_uri);
  json.text("errorMessage", step.error_message);
  json.text("errorStackTrace", step.error_stack_trace);
  json.message(step.message);
  json.map("attributes", step.attributes);
  json.close('}');
}

}  // namespace

void render(const Execution& execution, std::string& into) {
  Writer json(into);
  json.open('{');
  json.text("executionId", execution.execution_id);
  json.text("correlationId", execution.correlation_id);
  json.text("exchangeId", execution.exchange_id);
  json.text("routeId", execution.route_id);
  json.text("application", execution.application);
  json.text("instanceId", execution.instance_id);
  json.text("status", execution.status);
  json.instant("startTime", execution.start_time);
  if (execution.end_time) json.instant("endTime", *execution.end_time);
  json.number("durationMs", execution.duration_ms);
  json.text("errorMessage", execution.error_message);
  json.text("errorStackTrace", execution.error_stack_trace);
  json.message(execution.message);
  json.map("attributes", execution.attributes);
  json.text("parentExecutionId", execution.parent_execution_id);
  json.text("fromEndpoint", execution.from_endpoint);
  json.text("engineLevel", execution.engine_level);
  json.name("processorExecutions");
  json.open('[');
  for (const auto& step : execution.processors) render_step(step, json);
  json.close(']');
  json.close('}');
}

std::uint64_t checksum_of(std::string_view rendered) {
  return XXH3_64bits(rendered.data(), rendered.size());
}

Bits bits_of(std::uint64_t seed, std::uint64_t stream, std::uint64_t number) {
  const std::uint64_t key[] = {stream, number};
  const auto hash = XXH3_128bits_withSeed(key, sizeof key, seed);
  return {hash.low64, hash.high64};
}

void write_id(Bits bits, char* into) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const auto word : {bits.high, bits.low}) {
    for (int shift = 60; shift >= 0; shift -= 4) *into++ = kDigits[(word >> shift) & 15];
  }
}

std::string id_of(Bits bits) {
  std::string id(kIdCharacters, '0');
  write_id(bits, id.data());
  return id;
}

}  // namespace cameleer::sim
