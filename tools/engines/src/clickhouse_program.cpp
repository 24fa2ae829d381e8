#include "clickhouse_program.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>

#include "private_directory.hpp"

namespace cameleer::engines {
namespace {

constexpr std::string_view user = "cameleer";
constexpr std::string_view announcement = "listening ";
constexpr std::string_view refusal = "error: ";

}  // namespace

Expected<void> ClickHouseProgram::set_up() {
  if (access(options_.executable.c_str(), X_OK) != 0) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("The engine program {} is not there or cannot be run.", options_.executable));
  }
  if (options_.library.empty() || access(options_.library.c_str(), R_OK) != 0) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("The engine library {} cannot be read: `./dev setup` installs it.",
                            options_.library.empty() ? "(libchdb.so, no path given)" : options_.library));
  }
  if (auto directory = make_private_directory(options_.data_dir, own_user()); !directory) return directory;
  password_ = random_password();
  address_ = "127.0.0.1:0";
  return {};
}

ClickHouseEndpoint ClickHouseProgram::endpoint() const {
  return {"http://" + address_, std::string(user), password_};
}

async::Task<Expected<void>> ClickHouseProgram::prepare(const bool&) {
  listening_ = false;
  if (auto directory = make_private_directory(options_.data_dir, own_user()); !directory) co_return directory;
  if (auto space = check_free_space(options_.data_dir, 64ULL << 20U); !space) co_return space;
  // The engine takes the directory's lock itself, for it is the one that must not have a twin.
  co_return write_private_file(password_file(), password_ + "\n", own_user());
}

Command ClickHouseProgram::command() {
  std::vector<std::string> arguments{options_.executable,
                                     "--library",
                                     options_.library,
                                     "--path",
                                     options_.data_dir,
                                     "--listen",
                                     address_,
                                     "--user",
                                     std::string(user),
                                     "--password-file",
                                     password_file(),
                                     "--max-memory",
                                     fmt::format("{}", options_.max_memory),
                                     "--mark-cache",
                                     fmt::format("{}", options_.mark_cache),
                                     "--log-level",
                                     options_.log_level,
                                     "--lock-wait-ms",
                                     fmt::format("{}", options_.lock_wait.count()),
                                     "--parent-pid",
                                     fmt::format("{}", getpid())};
  if (options_.durable) arguments.emplace_back("--durable");
  return {std::move(arguments), {"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "TZ=UTC", "HOME=" + options_.data_dir}, {}};
}

void ClickHouseProgram::on_line(std::string_view line) {
  if (listening_ || !line.starts_with(announcement)) return;
  address_ = line.substr(announcement.size());
  listening_ = true;
}

std::string ClickHouseProgram::reason_in(const Lines& last) const {
  std::string reason;
  for (const std::string& line : last) {
    if (line.starts_with(refusal)) reason = line.substr(refusal.size());
  }
  return reason;
}

int ClickHouseProgram::stop_signal() const {
  return SIGTERM;
}

EmbeddedClickHouse::EmbeddedClickHouse(async::Executor executor, ClickHouseOptions options) {
  LogSink sink = options.on_log_line;
  program_ = std::make_shared<ClickHouseProgram>(std::move(options));
  supervisor_ = std::make_shared<Supervisor>(executor, program_, std::move(sink));
}

EmbeddedClickHouse::~EmbeddedClickHouse() {
  supervisor_->abandon();
}

async::Task<Expected<ClickHouseEndpoint>> EmbeddedClickHouse::start() {
  if (auto ready = program_->set_up(); !ready) co_return std::unexpected(ready.error());
  if (auto started = co_await supervisor_->start(); !started) co_return std::unexpected(started.error());
  co_return program_->endpoint();
}

async::Task<> EmbeddedClickHouse::stop() {
  co_await supervisor_->stop();
}

EngineStatus EmbeddedClickHouse::status() const {
  return supervisor_->status();
}

}  // namespace cameleer::engines
