#pragma once
#include <libpq-fe.h>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "statement.hpp"
#include "statement_cache.hpp"

namespace cameleer::postgres {

namespace asio = boost::asio;

/// One connection, through all its incarnations. libpq owns the socket; the descriptor borrows it and is released
/// before libpq may close it. Driven by one coroutine of the pool: connect(), receive() until false, reset().
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(async::Executor executor, const PoolOptions& options);
  ~Connection();

  /// Connects and sets the session up within `connect_time`. Gives libpq's words when that failed.
  async::Task<std::expected<void, std::string>> connect();
  /// Waits for answers and takes them in. False: the connection is of no use any more.
  async::Task<bool> receive();
  /// Disconnects. Everything in flight is finished with an error.
  void reset();

  /// Sends the statement behind those in flight. Never completes one at once.
  void send(StatementPtr statement);
  /// Lets receive() (or connect()) return false soon.
  void end(std::string reason);
  /// Ends the connection when one of its statements, or its lease, is past its deadline.
  void expire(Instant now);
  /// Statements whose answer is complete, in order.
  std::vector<StatementPtr> take_finished() { return std::exchange(finished_, {}); }
  /// Drops everything in flight without an answer; for an io_context that ends.
  std::vector<StatementPtr> abandon();

  void lease(const std::shared_ptr<Lease>& lease);
  void give_back() { leased_ = false; }
  [[nodiscard]] bool holds(const Lease& lease) const { return leased_ && lease.life == life_; }
  [[nodiscard]] bool leased() const { return leased_; }
  [[nodiscard]] bool ready() const { return ready_ && !ending_; }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_.size(); }
  /// A slow statement is at the front: others should not line up behind it.
  [[nodiscard]] bool stalled(Instant now) const;
  [[nodiscard]] const std::string& reason() const { return reason_; }

  /// Leaves pipeline mode for good (until the next reset), so that one text may hold several statements. Only with
  /// nothing in flight.
  void leave_pipeline();
  /// True while the server has an open transaction. Only with nothing in flight.
  [[nodiscard]] bool in_transaction() const;

 private:
  using Descriptor = asio::posix::basic_stream_descriptor<async::Executor>;

  struct Resolution;

  async::Task<std::string> start_connecting();
  async::Task<> resolve(std::string host);
  void stop_resolving();
  async::Task<std::string> poll_connection();
  async::Task<std::string> set_up_session();
  async::Task<bool> wait(asio::posix::descriptor_base::wait_type what);
  std::string words_of_libpq() const;

  bool send_in_pipeline(Statement& statement);
  bool send_prepared(Statement& statement, const std::vector<const char*>& values);
  void flush();
  static async::Task<> write(std::shared_ptr<Connection> self, std::uint64_t life);
  void take_results();
  void take_result(PGresult* result);
  void take_error(Statement& statement, const PGresult* result);
  void finish_front();

  const PoolOptions& options_;
  Descriptor descriptor_;
  async::SteadyTimer watchdog_;
  std::shared_ptr<Resolution> resolution_;
  PGconn* connection_ = nullptr;
  StatementCache cache_;
  std::deque<StatementPtr> in_flight_;
  std::vector<StatementPtr> finished_;
  std::uint64_t life_ = 0;
  bool pipeline_ = false;
  bool ready_ = false;
  bool ending_ = false;
  bool writing_ = false;
  bool leased_ = false;
  std::optional<Instant> lease_deadline_;
  Instant front_since_;  ///< when the front of in_flight_ became that
  std::string reason_;
};

}  // namespace cameleer::postgres
