#include "client_pool.hpp"

namespace cameleer::web::client {
namespace {

constexpr std::size_t kMaxWaiting = 4096;

}  // namespace

/// A place in the queue of those who wait, left on every way out.
class Pool::Place {
 public:
  Place(std::shared_ptr<Pool> pool, Deadline deadline)
      : pool_(std::move(pool)),
        waiter_(std::make_shared<Waiter>(Waiter{async::SteadyTimer(pool_->executor_, deadline)})) {
    pool_->waiters_.push_back(waiter_);
  }
  ~Place() {
    if (taken_) return;
    if (waiter_->granted) {
      pool_->give_back_permit();
    } else {
      std::erase(pool_->waiters_, waiter_);
    }
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  async::SteadyTimer& wake() { return waiter_->wake; }
  bool take() { return taken_ = waiter_->granted; }

 private:
  std::shared_ptr<Pool> pool_;
  std::shared_ptr<Waiter> waiter_;
  bool taken_ = false;
};

Pool::Pool(async::Executor executor, Endpoint endpoint, ClientOptions options)
    : executor_(executor), endpoint_(std::move(endpoint)), options_(std::move(options)), sweep_timer_(executor) {
  if (options_.max_connections == 0) throw std::invalid_argument("a client needs at least one connection");
}

std::string Pool::place() const {
  if (endpoint_.kind == Endpoint::Kind::unix_socket) return endpoint_.host;
  return fmt::format("{}:{}", endpoint_.host, endpoint_.port);
}

async::Task<Expected<Lease>> Pool::acquire(Deadline deadline) {
  auto self = shared_from_this();
  if (busy_ < options_.max_connections && waiters_.empty()) {
    ++busy_;
    co_return Lease(self);
  }
  if (waiters_.size() >= kMaxWaiting) {
    co_return fail(ErrorCode::overloaded, fmt::format("Too many requests wait for a connection to {}.", place()));
  }
  Place waiting(self, deadline);
  co_await waiting.wake().async_wait(async::as_result);
  if (!waiting.take()) {
    co_return fail(ErrorCode::upstream_timeout, fmt::format("No connection to {} became free in time.", place()));
  }
  co_return Lease(self);
}

void Pool::give_back_permit() {
  if (waiters_.empty()) {
    --busy_;
    return;
  }
  auto next = std::move(waiters_.front());
  waiters_.pop_front();
  next->granted = true;
  next->wake.cancel();
}

void Pool::close() {
  closed_ = true;
  idle_.clear();
  sweep_timer_.cancel();
}

void Pool::sweep() {
  const auto oldest = std::chrono::steady_clock::now() - options_.idle_time;
  while (!idle_.empty() && idle_.front().since <= oldest) idle_.pop_front();
}

void Pool::arm_sweep() {
  if (sweeping_ || idle_.empty()) return;
  sweeping_ = true;
  sweep_timer_.expires_at(idle_.front().since + options_.idle_time);
  sweep_timer_.async_wait([weak = weak_from_this()](ErrorCodeOf error) {
    auto pool = weak.lock();
    if (!pool) return;
    pool->sweeping_ = false;
    if (error) return;
    pool->sweep();
    pool->arm_sweep();
  });
}

async::Task<Expected<std::shared_ptr<Transport>>> Pool::make_transport(Deadline deadline) {
  if (endpoint_.kind == Endpoint::Kind::unix_socket) co_return make_unix(executor_, endpoint_.host);
  auto addresses = co_await resolve(executor_, endpoint_.host, endpoint_.port, deadline);
  if (!addresses) co_return std::unexpected(std::move(addresses.error()));
  if (endpoint_.kind == Endpoint::Kind::tcp) co_return make_tcp(executor_, std::move(*addresses));
  if (!tls_) {
    auto context = make_tls_context(options_.tls_ca_file);
    if (!context) co_return std::unexpected(std::move(context.error()));
    tls_ = std::move(*context);
  }
  co_return make_tls(executor_, std::move(*addresses), *tls_, endpoint_.host);
}

bool Lease::reuse() {
  pool_->sweep();
  while (!pool_->idle_.empty()) {
    transport_ = std::move(pool_->idle_.back().transport);
    pool_->idle_.pop_back();
    if (!transport_->stale()) return true;
    transport_.reset();
  }
  return false;
}

async::Task<Expected<void>> Lease::connect(Watchdog& watchdog, Deadline deadline) {
  transport_.reset();
  const auto until = std::min(deadline, std::chrono::steady_clock::now() + pool_->options_.connect_time);
  auto made = co_await pool_->make_transport(until);
  if (!made) co_return std::unexpected(std::move(made.error()));
  transport_ = std::move(*made);
  watchdog.watch(transport_);
  Watchdog connecting(pool_->executor_, until);
  connecting.watch(transport_);
  const auto error = co_await transport_->connect();
  if (!error) co_return Expected<void>();
  transport_.reset();
  if (watchdog.fired() || connecting.fired()) {
    co_return fail(ErrorCode::upstream_timeout, fmt::format("Connecting to {} took too long.", pool_->place()));
  }
  co_return fail(ErrorCode::unavailable, fmt::format("Cannot connect to {}: {}.", pool_->place(), error.message()));
}

void Lease::keep() {
  if (!pool_ || !transport_ || pool_->closed_) return release();
  pool_->idle_.push_back({std::move(transport_), std::chrono::steady_clock::now()});
  pool_->arm_sweep();
  release();
}

void Lease::release() {
  transport_.reset();
  if (auto pool = std::exchange(pool_, nullptr)) pool->give_back_permit();
}

}  // namespace cameleer::web::client
