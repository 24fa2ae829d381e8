#pragma once
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cameleer/web/server.hpp>
#include <future>
#include <string>
#include <thread>
#include <vector>

namespace live {

namespace web = cameleer::web;
using cameleer::async::Task;

/// A blocking TCP peer that sends what no honest client would. Every receive gives up after ten seconds.
class Peer {
 public:
  explicit Peer(std::uint16_t port);
  ~Peer();
  Peer(Peer&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  /// False: the server has closed.
  bool send(std::string_view bytes) const;
  void finish_sending() const;
  void close();
  void receive_buffer(int bytes) const;
  /// What comes next, as recv gives it.
  long receive(char* into, std::size_t size) const;
  /// Bytes up to the end of the connection.
  std::string rest() const;
  /// Bytes until `end` was seen; fewer when the connection ends before.
  std::string until(std::string_view end);
  /// One answer with a Content-Length.
  struct Answer {
    int status = 0;
    std::string head;
    std::string body;
    [[nodiscard]] std::string header(std::string_view name) const;
  };
  [[nodiscard]] Answer answer(bool bodyless = false);

 private:
  bool more();
  int descriptor_;
  std::string kept_;
};

/// A server on a thread of its own, with a few routes that tests need. What its handlers note is read by `on_loop`.
class Server {
 public:
  explicit Server(web::ServerOptions options = {}, std::vector<web::Route> more = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] Peer connect() const { return Peer(port_); }
  /// Sends one request on a connection of its own and reads all that comes.
  [[nodiscard]] std::string exchange(std::string_view request) const;
  [[nodiscard]] Peer::Answer ask(std::string_view request) const;

  /// Runs `work` on the I/O thread.
  template <class Work>
  auto on_loop(Work work) const {
    std::promise<decltype(work())> promise;
    auto result = promise.get_future();
    boost::asio::post(context_, [&] {
      if constexpr (std::is_void_v<decltype(work())>) {
        work();
        promise.set_value();
      } else {
        promise.set_value(work());
      }
    });
    return result.get();
  }
  /// Waits (ten seconds at most) until `check`, run on the I/O thread, is true.
  template <class Check>
  bool eventually(Check check) const {
    for (int round = 0; round < 10'000; ++round) {
      if (on_loop(check)) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }
  [[nodiscard]] web::Server::Counters counters() const;
  [[nodiscard]] std::uint64_t bytes_in() const { return server_->counters().bytes_in; }        ///< I/O thread only
  [[nodiscard]] std::uint64_t bytes_out() const { return server_->counters().bytes_out; }      ///< I/O thread only
  [[nodiscard]] std::uint64_t connections() const { return server_->counters().connections; }  ///< I/O thread only
  [[nodiscard]] cameleer::async::Executor executor() const { return context_.get_executor(); }
  /// Starts stop(); ready when it is done.
  std::future<void> stop();

  struct Notes {
    std::vector<std::string> exceptions;
    std::vector<int> statuses;
    std::size_t handled = 0;
    std::size_t authorised = 0;
    bool release = false;  ///< lets `/held` answer
    bool stream_ended = false;
    std::size_t stream_written = 0;
  };
  Notes notes;  ///< I/O thread only

 private:
  void add_routes(std::vector<web::Route> more);
  mutable boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  cameleer::async::WorkerPool workers_{1, 16};
  web::Router router_;
  std::unique_ptr<web::Server> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

/// `GET path` with what HTTP/1.1 asks for.
std::string get(std::string_view path, std::string_view headers = {});
std::string post(std::string_view path, std::string_view body, std::string_view headers = {});
/// The same body in one chunk.
std::string chunked(std::string_view path, std::string_view body, std::string_view headers = {});
std::string gzip(std::string_view text);
std::string zstd(std::string_view text);
/// Of a problem document.
std::string code_of(const Peer::Answer& answer);
/// Whether the server closes without another line.
bool ended(Peer& peer);

}  // namespace live
