#include "agent-sim/workload.hpp"

#include "agent-sim/content.hpp"

namespace cameleer::sim {
namespace {

struct Application {
  std::string_view name;
  std::array<std::string_view, 3> routes;
  std::string_view from;
};
constexpr Application kCatalog[kApplications] = {
    {"orders", {"order-entry", "order-fulfilment", "order-notification"}, "platform-http:///orders"},
    {"warehouse", {"stock-reserve", "stock-release", "parcel-label"}, "jms:queue:warehouse.in"},
    {"billing", {"invoice-create", "payment-capture", "dunning"}, "kafka:billing"}};

struct Step {
  std::string_view id, type, uri;
};
constexpr Step kSteps[] = {{"validate", "bean", "bean://orderChecks"},
                           {"split-lines", "split", ""},
                           {"reserve", "to", "direct://reserve"},
                           {"price", "bean", "bean://prices"},
                           {"audit", "log", ""},
                           {"call-carrier", "toD", "http://carrier/labels"},
                           {"set-status", "setHeader", ""},
                           {"store", "to", "sql:insert-order"}};

constexpr std::string_view kError = "java.lang.IllegalStateException: no stock left for article 4711 in warehouse B";

std::string stack_trace() {
  std::string text(kError);
  for (int frame = 0; frame < 24; ++frame) {
    text += fmt::format("\n\tat io.example.orders.step{}.Handler.process(Handler.java:{})", frame % 7, 40 + frame * 3);
  }
  return text + "\nCaused by: java.sql.SQLException: article is locked\n\t... 24 more";
}

// Text that compresses about as bodies of orders do.
std::string payload(std::size_t bytes, std::uint64_t number) {
  std::string text = fmt::format(R"({{"order":"{}","lines":[)", slot::order);
  for (std::uint64_t line = 0; text.size() < bytes; ++line) {
    const auto bits = bits_of(number, line, bytes);
    text += fmt::format(R"({{"article":"{:08x}","count":{},"price":"{}.{:02}"}},)", bits.low & 0xffffffff,
                        bits.high % 9, (bits.high >> 8) % 900, bits.low % 100);
  }
  text.resize(bytes);
  return text;
}

Message message_of(const WorkloadOptions& options, std::uint64_t number) {
  Message message;
  if (options.payload_bytes == 0) return message;
  const auto body = [&](std::uint64_t side) {
    auto text = payload(options.payload_bytes, number * 2 + side);
    const auto size = text.size();
    return Body{std::move(text), size};
  };
  message.input_body = body(0);
  message.output_body = body(1);
  message.input_headers = {{"CamelHttpMethod", "POST"}, {"breadcrumbId", std::string(slot::order)}};
  return message;
}

std::vector<ProcessorExecution> steps_of(const WorkloadOptions& options, unsigned variant, bool failed,
                                         std::int64_t duration) {
  std::vector<ProcessorExecution> steps;
  const auto count = options.processors_per_execution;
  for (unsigned i = 0; i < count; ++i) {
    const auto& known = kSteps[i % std::size(kSteps)];
    ProcessorExecution step;
    step.seq = i;
    // The split's children are one step, once for each line.
    const bool child = count > 3 && (i == 2 || i == 3);
    if (child) step.parent_seq = 1;
    if (child) step.split_index = static_cast<std::int32_t>(i - 2);
    const auto& shown = child ? kSteps[2] : known;
    step.processor_id = i < std::size(kSteps) ? std::string(shown.id) : fmt::format("{}-{}", shown.id, i);
    step.processor_type = shown.type;
    step.endpoint_uri = shown.uri;
    const bool broken = failed && (i + 1 == count || (count > 3 && i == 3));
    step.status = broken ? status::failed : status::completed;
    step.start_time = slot::start + std::chrono::milliseconds(duration * i / (count + 1));
    step.duration_ms = duration / (count + 1);
    if (broken) {
      step.error_message = kError;
      step.error_stack_trace = stack_trace();
    }
    step.message = message_of(options, variant * 100 + i);
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace

Expected<std::size_t> payload_bytes_of(std::string_view name) {
  if (name == "none") return std::size_t{0};
  if (name == "2x200") return std::size_t{200};
  if (name == "2x1k") return std::size_t{1024};
  return fail(ErrorCode::bad_configuration, "A payload is none, 2x200 or 2x1k.", "payload");
}

std::string_view application_name(unsigned agent) {
  return kCatalog[agent % kApplications].name;
}

std::string agent_prefix(std::uint64_t seed) {
  return fmt::format("sim-{}-", seed);
}

std::string agent_id(std::uint64_t seed, unsigned agent) {
  return fmt::format("{}{}", agent_prefix(seed), agent);
}

std::vector<std::string> route_names(unsigned agent) {
  const auto& routes = kCatalog[agent % kApplications].routes;
  return {routes.begin(), routes.end()};
}

Execution prototype(const WorkloadOptions& options, unsigned agent, unsigned variant, bool failed) {
  const auto& application = kCatalog[agent % kApplications];
  const auto bits = bits_of(7, agent % kApplications, variant);
  // Most are quick, a few are slow.
  const auto duration = static_cast<std::int64_t>(3 + bits.low % 40 + (variant % 8 == 7 ? bits.high % 2'000 : 0));
  Execution execution;
  execution.execution_id = slot::execution;
  execution.correlation_id = slot::correlation;
  execution.exchange_id = fmt::format("{}-{}", slot::order, application.name);
  execution.route_id = application.routes[variant % application.routes.size()];
  execution.application = application.name;
  execution.instance_id = agent_id(options.seed, agent);
  execution.status = failed ? status::failed : status::completed;
  execution.start_time = slot::start;
  execution.end_time = slot::start + std::chrono::milliseconds(duration);
  execution.duration_ms = duration;
  if (failed) {
    execution.error_message = kError;
    execution.error_stack_trace = stack_trace();
  }
  execution.message = message_of(options, variant);
  execution.attributes = {{"customer", fmt::format("C-{}", bits.low % 997)}, {"orderId", std::string(slot::order)}};
  if (agent % kApplications != 0) execution.parent_execution_id = slot::parent;
  execution.from_endpoint = application.from;
  execution.engine_level = "REGULAR";
  execution.processors = steps_of(options, variant, failed, duration);
  return execution;
}

}  // namespace cameleer::sim
