#include "query_watch.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <vector>

namespace cameleer::engine {

QueryWatch::QueryWatch(SessionPool& pool)
    : pool_(pool), poll_(epoll_create1(EPOLL_CLOEXEC)), event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event{EPOLLIN, {.u64 = 0}};
  epoll_ctl(poll_.get(), EPOLL_CTL_ADD, event_.get(), &event);
  thread_ = std::thread([this] { run(); });
}

QueryWatch::~QueryWatch() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake();
  thread_.join();
}

QueryWatch::Entry::Entry(QueryWatch& watch, int socket) : watch_(watch), socket_(socket) {
  {
    const std::scoped_lock lock(watch_.mutex_);
    id_ = watch_.next_id_++;
    mark_ = fmt::format("\n/* request {:x}-{:x} */", getpid(), id_);
    watch_.running_[id_] = {mark_.substr(1), false};
  }
  if (socket_ >= 0) {
    epoll_event event{EPOLLRDHUP | EPOLLONESHOT, {.u64 = id_}};
    epoll_ctl(watch_.poll_.get(), EPOLL_CTL_ADD, socket_, &event);
  }
}

QueryWatch::Entry::~Entry() {
  if (socket_ >= 0) epoll_ctl(watch_.poll_.get(), EPOLL_CTL_DEL, socket_, nullptr);
  const std::scoped_lock lock(watch_.mutex_);
  watch_.running_.erase(id_);
}

std::string QueryWatch::Entry::without_mark(std::string text) const {
  for (const std::string_view form : {std::string_view(mark_), std::string_view(mark_).substr(1)}) {
    for (auto at = text.find(form); at != std::string::npos; at = text.find(form)) text.erase(at, form.size());
  }
  return text;
}

void QueryWatch::kill_all() {
  {
    const std::scoped_lock lock(mutex_);
    for (auto& [id, running] : running_) running.doomed = true;
  }
  wake();
}

void QueryWatch::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(event_.get(), &one, sizeof one);
}

void QueryWatch::note_hangup(std::uint64_t id) {
  const std::scoped_lock lock(mutex_);
  const auto found = running_.find(id);
  if (found != running_.end()) found->second.doomed = true;
}

bool QueryWatch::kill_doomed() {
  std::vector<std::string> marks;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [id, running] : running_) {
      if (running.doomed) marks.push_back(running.mark);
    }
  }
  if (marks.empty()) return false;
  auto session = pool_.acquire({});
  if (!session) return true;
  for (const std::string& mark : marks) {
    // SYNC would wait for the killed connection's next use. The mark is split so that this text does not carry it.
    const auto killed = (*session)->query(fmt::format("KILL QUERY WHERE position(query, concat('{}', '{}')) > 0 ASYNC",
                                                      mark.substr(0, 3), mark.substr(3)),
                                          "Null");
    if (!killed) fmt::print(stderr, "warning: a statement could not be stopped: {}\n", killed.error().text);
  }
  return true;
}

void QueryWatch::run() {
  bool again = false;
  while (true) {
    std::array<epoll_event, 16> events{};
    // A doomed statement that had not begun yet is killed by a later round.
    const int ready = epoll_wait(poll_.get(), events.data(), events.size(), again ? 100 : -1);
    for (int i = 0; i < ready; ++i) {
      const auto id = events[static_cast<std::size_t>(i)].data.u64;
      if (id != 0) {
        note_hangup(id);
        continue;
      }
      std::uint64_t count = 0;
      [[maybe_unused]] const auto got = read(event_.get(), &count, sizeof count);
    }
    {
      const std::scoped_lock lock(mutex_);
      if (stopping_) return;
    }
    again = kill_doomed();
  }
}

}  // namespace cameleer::engine
