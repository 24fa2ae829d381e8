#pragma once
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "chdb_api.hpp"

namespace cameleer::engine {

/// What a connection is given before its statement: nothing of it may reach another request.
struct SessionSetup {
  std::string database;                                       ///< empty: the engine's default
  std::vector<std::pair<std::string, std::string>> settings;  ///< in the order of the request
  [[nodiscard]] std::string key() const;
};

/// The engine and its connections. A connection is lent with a set-up (database and settings) and goes back to others
/// that ask for exactly the same; one that a statement may have changed is closed instead. One connection stays open as
/// long as the pool, for the engine stops with its last one. Thread-safe.
class SessionPool {
 public:
  class Lease {
   public:
    Lease(SessionPool& pool, std::string key, std::unique_ptr<ChdbConnection> connection)
        : pool_(&pool), key_(std::move(key)), connection_(std::move(connection)) {}
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    ChdbConnection* operator->() { return connection_.get(); }
    /// The statement may have changed the session: close the connection at the end.
    void discard() { keep_ = false; }

   private:
    SessionPool* pool_;
    std::string key_;
    std::unique_ptr<ChdbConnection> connection_;
    bool keep_ = true;
  };

  /// Opens the engine; the error says where its reason is.
  static std::expected<std::unique_ptr<SessionPool>, std::string> open(const ChdbApi& api,
                                                                       std::vector<std::string> arguments);
  Result<Lease> acquire(const SessionSetup& setup);

 private:
  SessionPool(const ChdbApi& api, std::vector<std::string> arguments, std::unique_ptr<ChdbConnection> anchor)
      : api_(api), arguments_(std::move(arguments)), anchor_(std::move(anchor)) {}
  void give_back(std::string key, std::unique_ptr<ChdbConnection> connection);

  static constexpr std::size_t max_idle = 16;
  const ChdbApi& api_;
  std::vector<std::string> arguments_;
  std::unique_ptr<ChdbConnection> anchor_;
  std::mutex mutex_;
  std::list<std::pair<std::string, std::unique_ptr<ChdbConnection>>> idle_;  // most recently used first
};

}  // namespace cameleer::engine
