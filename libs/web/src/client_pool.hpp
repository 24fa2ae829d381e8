#pragma once
#include <boost/asio/ssl/context.hpp>
#include <deque>

#include "client_transport.hpp"

namespace cameleer::web::client {

class Pool;

/// The right to one connection of the pool, and that connection. Destroyed: the connection is closed, unless `keep`
/// gave it back for the next request.
class Lease {
 public:
  explicit Lease(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}
  ~Lease() { release(); }
  Lease(Lease&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), transport_(std::move(other.transport_)) {}
  Lease& operator=(Lease&&) = delete;

  /// A kept connection, if there is one that its peer has not closed.
  bool reuse();
  /// Connects anew, closing what was held.
  async::Task<Expected<void>> connect(Watchdog& watchdog, Deadline deadline);
  void keep();
  void release();
  [[nodiscard]] const std::shared_ptr<Transport>& transport() const { return transport_; }

 private:
  std::shared_ptr<Pool> pool_;
  std::shared_ptr<Transport> transport_;
};

/// At most `max_connections`, used or kept. Those who wait for one are served in the order of their coming.
class Pool : public std::enable_shared_from_this<Pool> {
 public:
  Pool(async::Executor executor, Endpoint endpoint, ClientOptions options);
  async::Task<Expected<Lease>> acquire(Deadline deadline);
  /// Closes what is kept and keeps nothing from now on.
  void close();
  void drop_idle() { idle_.clear(); }

  [[nodiscard]] async::Executor executor() const { return executor_; }
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] const ClientOptions& options() const { return options_; }
  /// For messages: `host:port`, or the path.
  [[nodiscard]] std::string place() const;

 private:
  friend class Lease;
  struct Idle {
    std::shared_ptr<Transport> transport;
    std::chrono::steady_clock::time_point since;
  };
  struct Waiter {
    async::SteadyTimer wake;
    bool granted = false;
  };
  class Place;

  async::Task<Expected<std::shared_ptr<Transport>>> make_transport(Deadline deadline);
  void give_back_permit();
  void sweep();
  void arm_sweep();

  async::Executor executor_;
  Endpoint endpoint_;
  ClientOptions options_;
  std::shared_ptr<async::asio::ssl::context> tls_;
  std::deque<Idle> idle_;  // oldest first
  std::size_t busy_ = 0;
  std::deque<std::shared_ptr<Waiter>> waiters_;
  async::SteadyTimer sweep_timer_;
  bool sweeping_ = false;
  bool closed_ = false;
};

}  // namespace cameleer::web::client
