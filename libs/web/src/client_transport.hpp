#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <cameleer/async/task.hpp>
#include <cameleer/web/client.hpp>
#include <memory>
#include <string_view>
#include <vector>

namespace boost::asio::ssl {
class context;
}

namespace cameleer::web::client {

using ErrorCodeOf = boost::system::error_code;
using Deadline = std::chrono::steady_clock::time_point;

struct Transfer {
  ErrorCodeOf error;
  std::size_t bytes = 0;
};

/// One connection, whatever lies under it. Operations end early with an error after `abort`.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual async::Task<ErrorCodeOf> connect() = 0;
  virtual async::Task<Transfer> write(std::string_view head, std::string_view body) = 0;
  virtual async::Task<Transfer> read(char* into, std::size_t size) = 0;
  /// Closes at once; a waiting operation of another coroutine ends.
  virtual void abort() = 0;
  /// Whether an unused connection was closed by its peer or has bytes that nobody asked for.
  [[nodiscard]] virtual bool stale() = 0;
};

using Addresses = std::vector<async::asio::ip::tcp::endpoint>;

std::shared_ptr<Transport> make_tcp(async::Executor executor, Addresses addresses);
std::shared_ptr<Transport> make_unix(async::Executor executor, const std::string& path);
std::shared_ptr<Transport> make_tls(async::Executor executor, Addresses addresses, async::asio::ssl::context& context,
                                    const std::string& host);

/// TLS 1.2 and up, peers verified against `ca_file`, or against the system's authorities when it is empty.
Expected<std::shared_ptr<async::asio::ssl::context>> make_tls_context(const std::string& ca_file);

/// Addresses of a name; the wait ends at the deadline even if the resolver does not.
async::Task<Expected<Addresses>> resolve(async::Executor executor, std::string host, std::uint16_t port,
                                         Deadline deadline);

/// Aborts the watched transport at its deadline, unless destroyed before.
class Watchdog {
 public:
  Watchdog(async::Executor executor, Deadline deadline);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  void watch(const std::shared_ptr<Transport>& transport);
  [[nodiscard]] bool fired() const { return state_->fired; }

 private:
  struct State {
    async::SteadyTimer timer;
    std::weak_ptr<Transport> watched = {};
    bool fired = false;
  };
  std::shared_ptr<State> state_;
};

}  // namespace cameleer::web::client
