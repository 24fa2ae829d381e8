#include "supervisor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <csignal>

namespace cameleer::engines {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::size_t max_line = 8 * 1024;
constexpr std::size_t kept_lines = 40;
constexpr std::chrono::milliseconds first_pause = 100ms;
constexpr std::chrono::milliseconds longest_pause = 5s;
constexpr unsigned tries_before_failed = 10;
constexpr auto steady_after = 60s;  // a child that lived so long starts the pauses anew

}  // namespace

std::string_view name_of(EngineState state) {
  constexpr std::array<std::string_view, 5> names{"stopped", "starting", "running", "restarting", "failed"};
  return names[static_cast<std::size_t>(state)];
}

Supervisor::Supervisor(async::Executor executor, std::shared_ptr<Program> program, LogSink sink)
    : executor_(executor),
      program_(std::move(program)),
      sink_(std::move(sink)),
      pause_length_(first_pause),
      pause_(executor),
      done_(executor) {}

async::Task<Expected<void>> Supervisor::start() {
  if (gettid() != getpid()) {
    co_return fail(ErrorCode::internal, "Engines are started by the main thread: their life is tied to it.");
  }
  if (active_) co_return fail(ErrorCode::internal, fmt::format("{} is started already.", program_->name()));
  const auto self = shared_from_this();
  active_ = true;
  stopping_ = false;
  status_.state = EngineState::starting;
  auto launched = co_await launch();
  if (!launched) {
    active_ = false;
    status_.state = stopping_ ? EngineState::stopped : EngineState::failed;
    status_.last_reason = launched.error().message;
    done_.cancel();
    co_return launched;
  }
  status_.state = EngineState::running;
  boost::asio::co_spawn(executor_, watch(self), boost::asio::detached);
  co_return Expected<void>{};
}

async::Task<Expected<void>> Supervisor::launch() {
  if (auto prepared = co_await program_->prepare(stopping_); !prepared) co_return prepared;
  if (stopping_) co_return fail(ErrorCode::unavailable, fmt::format("{} is being stopped.", program_->name()));
  last_lines_.clear();
  auto spawned = Process::spawn(executor_, program_->command());
  if (!spawned) co_return std::unexpected(spawned.error());
  child_ = std::make_shared<Process>(std::move(*spawned));
  status_.pid = child_->pid();
  reading_ = true;
  boost::asio::co_spawn(executor_, read_lines(shared_from_this(), child_), boost::asio::detached);
  auto ready = co_await wait_until_ready();
  if (!ready) {
    child_->signal(SIGKILL);
    co_await child_->wait(5s);
    child_.reset();
    status_.pid = 0;
  }
  co_return ready;
}

async::Task<Expected<void>> Supervisor::wait_until_ready() {
  const auto deadline = steady_clock::now() + program_->ready_limit();
  while (!program_->is_ready(child_->pid())) {
    if (stopping_) co_return fail(ErrorCode::unavailable, fmt::format("{} is being stopped.", program_->name()));
    if (co_await child_->wait(10ms)) {
      co_return fail(ErrorCode::unavailable,
                     fmt::format("{} did not start: {}", program_->name(), co_await death_of_child()));
    }
    if (steady_clock::now() > deadline) {
      co_return fail(ErrorCode::unavailable, fmt::format("{} did not answer within {} s of its start.",
                                                         program_->name(), program_->ready_limit().count()));
    }
  }
  co_return Expected<void>{};
}

async::Task<std::string> Supervisor::death_of_child() {
  // What it said last may still be in the pipe, which a grandchild may hold open for a moment longer.
  for (int round = 0; reading_ && round < 20; ++round) co_await async::sleep_for(executor_, 10ms);
  std::string reason = program_->reason_in(last_lines_);
  co_return reason.empty() ? fmt::format("it {}.", child_->end()) : reason;
}

async::Task<> Supervisor::watch(std::shared_ptr<Supervisor> self) {
  while (!self->stopping_) {
    const auto since = steady_clock::now();
    while (!self->stopping_ && !co_await self->child_->wait(1h)) {
    }
    if (self->stopping_) break;
    self->status_.last_reason = fmt::format("{} died: {}", self->program_->name(), co_await self->death_of_child());
    self->child_.reset();
    self->status_.pid = 0;
    self->status_.state = EngineState::restarting;
    self->take_line(self->status_.last_reason);
    if (steady_clock::now() - since > steady_after) self->pause_length_ = first_pause;
    co_await self->bring_back();
  }
  if (self->child_) {
    self->child_->signal(self->program_->stop_signal());
    const auto deadline = steady_clock::now() + self->program_->stop_limit();
    while (!co_await self->child_->wait(deadline - steady_clock::now())) {
      if (steady_clock::now() >= deadline) break;
    }
    if (!self->child_->has_ended()) {
      self->child_->signal(SIGKILL);
      co_await self->child_->wait(2s);
    }
    self->child_.reset();
  }
  self->status_.pid = 0;
  self->status_.state = EngineState::stopped;
  self->active_ = false;
  self->done_.cancel();
}

async::Task<> Supervisor::bring_back() {
  for (unsigned tries = 1;; ++tries) {
    pause_.expires_after(pause_length_);
    pause_length_ = std::min(pause_length_ * 2, longest_pause);
    if (stopping_) co_return;
    co_await pause_.async_wait(async::as_result);
    if (stopping_) co_return;
    auto launched = co_await launch();
    if (launched) {
      ++status_.restarts;
      status_.state = EngineState::running;
      co_return;
    }
    if (stopping_) co_return;
    status_.last_reason = launched.error().message;
    if (tries >= tries_before_failed) status_.state = EngineState::failed;
    take_line(status_.last_reason);
  }
}

async::Task<> Supervisor::stop() {
  const auto self = shared_from_this();
  stopping_ = true;
  pause_.cancel();
  if (child_) child_->cancel_wait();
  while (active_) {
    done_.expires_after(100ms);
    co_await done_.async_wait(async::as_result);
  }
  status_.state = EngineState::stopped;
}

void Supervisor::abandon() {
  stopping_ = true;
  pause_.cancel();
  // A process that the destructor of Process kills and collects, once the coroutines have let go of it.
  if (child_) {
    child_->signal(program_->stop_signal());
    child_->cancel_wait();
  }
}

void Supervisor::take_line(std::string_view line) {
  if (sink_) sink_(program_->name(), line);
}

async::Task<> Supervisor::read_lines(std::shared_ptr<Supervisor> self, std::shared_ptr<Process> child) {
  std::string pending;
  std::array<char, 4096> buffer{};
  while (true) {
    const auto [ec, got] = co_await child->output().async_read_some(boost::asio::buffer(buffer), async::as_result);
    pending.append(buffer.data(), got);
    std::size_t begin = 0;
    while (begin < pending.size()) {
      const std::size_t end = pending.find('\n', begin);
      if (end == std::string::npos && pending.size() - begin < max_line && !ec) break;
      const std::string_view line = std::string_view(pending).substr(begin, std::min(end - begin, max_line));
      if (!line.empty()) {
        self->program_->on_line(line);
        self->last_lines_.emplace_back(line);
        if (self->last_lines_.size() > kept_lines) self->last_lines_.pop_front();
        self->take_line(line);
      }
      begin += line.size() + (end != std::string::npos && begin + line.size() == end ? 1 : 0);
    }
    pending.erase(0, begin);
    if (ec) break;
  }
  if (child == self->child_) self->reading_ = false;
}

}  // namespace cameleer::engines
