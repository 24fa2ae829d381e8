#pragma once
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "session_pool.hpp"
#include "socket.hpp"

namespace cameleer::engine {

/// Stops statements whose client has gone, and all of them at the end of the process. A thread that runs a statement is
/// inside the engine and cannot look at its socket, so this one does, and kills by a mark in the statement's text.
class QueryWatch {
 public:
  explicit QueryWatch(SessionPool& pool);
  ~QueryWatch();
  QueryWatch(const QueryWatch&) = delete;
  QueryWatch& operator=(const QueryWatch&) = delete;

  /// While it lives, a hang-up on the socket kills the statement that carries `mark()`.
  class Entry {
   public:
    /// `socket` < 0: the statement outlives its client (INSERT, DDL) and is killed by `kill_all` alone.
    Entry(QueryWatch& watch, int socket);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    /// A comment to put behind the statement; the engine's messages are cleaned of it with `without_mark`.
    [[nodiscard]] const std::string& mark() const { return mark_; }
    [[nodiscard]] std::string without_mark(std::string text) const;

   private:
    QueryWatch& watch_;
    int socket_;
    std::uint64_t id_;
    std::string mark_;
  };

  void kill_all();

 private:
  struct Running {
    std::string mark;
    bool doomed = false;
  };
  void run();
  void note_hangup(std::uint64_t id);
  bool kill_doomed();
  void wake();

  SessionPool& pool_;
  Descriptor poll_;
  Descriptor event_;
  std::mutex mutex_;
  std::map<std::uint64_t, Running> running_;
  std::uint64_t next_id_ = 1;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace cameleer::engine
