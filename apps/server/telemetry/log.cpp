#include "server/telemetry/log.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cameleer/core/instant.hpp>

namespace cameleer::server {
namespace {

constexpr std::string_view kNames[] = {"debug", "info", "warning", "error"};

boost::json::value as_json(const Log::Field& field) {
  return std::visit([](const auto& value) { return boost::json::value(value); }, field.value);
}

}  // namespace

struct Log::Sink {
  std::shared_ptr<spdlog::details::thread_pool> thread = std::make_shared<spdlog::details::thread_pool>(8'192, 1);
  std::shared_ptr<spdlog::async_logger> logger =
      std::make_shared<spdlog::async_logger>("cameleer", std::make_shared<spdlog::sinks::stdout_sink_mt>(), thread,
                                             spdlog::async_overflow_policy::overrun_oldest);

  // Joins the writer, which has written everything by then, before the logger that it writes with goes.
  ~Sink() { thread.reset(); }
};

Log::Log(Level least) : sink_(std::make_unique<Sink>()), least_(least) {
  sink_->logger->set_pattern("%v");
  sink_->logger->flush_on(spdlog::level::info);
}

Log::~Log() = default;

void Log::write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (level < least_) return;
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  boost::json::object line{
      {"timestamp", format_instant(now)}, {"level", kNames[static_cast<int>(level)]}, {"event", event}};
  for (const auto& field : fields) line[field.name] = as_json(field);
  sink_->logger->info("{}", boost::json::serialize(line));
}

std::size_t Log::dropped() const {
  return sink_->thread->overrun_counter();
}

Log::Level Log::level_named(std::string_view name) {
  for (int i = 0; i < 4; ++i) {
    if (kNames[i] == name) return static_cast<Level>(i);
  }
  return Level::info;
}

}  // namespace cameleer::server
