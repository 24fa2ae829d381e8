#pragma once
#include <cameleer/postgres/pool.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace cameleer::postgres {

class Connection;
using Instant = std::chrono::steady_clock::time_point;

/// The exclusive use of one connection. `life` names the connection's incarnation: after a reconnect the lease is void.
struct Lease {
  std::shared_ptr<Connection> connection = {};
  std::uint64_t life = 0;
  /// How long the whole lease may last; nullopt: its statements' own deadlines are enough.
  std::optional<std::chrono::milliseconds> time = {};
};

/// A statement on its way from a caller to a connection and back.
struct Statement {
  enum class Role {
    single,  ///< on whatever connection, or inside a lease
    begins,  ///< needs a connection that becomes exclusive
    ends,    ///< gives the connection back, whatever its outcome
  };

  std::string sql;
  Parameters parameters = {};
  Instant deadline = {};
  Role role = Role::single;
  std::shared_ptr<Lease> lease = {};
  bool counted = true;  ///< against PoolOptions::max_waiting
  std::move_only_function<void(Outcome<Result>)> done = {};

  // Of interest to the connection only.
  enum class Sent { as_text, prepared_with, by_name } sent = Sent::as_text;
  std::size_t prepare_at = 0;     ///< which command of the sync group is the PREPARE
  std::size_t commands_done = 0;  ///< of the sync group
  bool stale_plan = false;        ///< refused before it ran, because what was prepared is out of date
  bool sent_again = false;
  std::optional<Outcome<Result>> outcome = {};
};
using StatementPtr = std::unique_ptr<Statement>;

}  // namespace cameleer::postgres
