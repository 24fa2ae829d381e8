#pragma once
#include <cameleer/async/worker_pool.hpp>
#include <cameleer/web/router.hpp>

namespace cameleer::web {

/// Bounds and addresses of a listener. Times are enforced by one coarse sweep a second, not by a timer a request.
struct ServerOptions {
  std::string address = "0.0.0.0";
  std::uint16_t port = 0;            ///< 0: any free port, see Server::port()
  std::string base_path = "/";       ///< stripped before routing; requests outside it are 404
  std::string tls_certificate_file;  ///< PEM chain; with `tls_key_file`: TLS 1.2 and 1.3 only
  std::string tls_key_file;
  std::size_t max_connections = 10'000;               ///< one more waits in the kernel's queue
  std::size_t header_bytes = 16 * 1024;               ///< 431 beyond
  std::size_t max_in_flight_body_bytes = 512u << 20;  ///< of all connections; 503 beyond
  std::chrono::seconds header_time{10};      ///< from the first byte of a request to the end of its header section
  std::chrono::seconds body_time{60};        ///< from the end of the header section to the end of the body
  std::chrono::seconds idle_time{75};        ///< keep-alive without a request
  std::chrono::seconds write_time{30};       ///< a peer that takes no byte for so long is dropped
  std::chrono::seconds drain_time{10};       ///< what stop() waits for requests in flight
  std::vector<std::string> trusted_proxies;  ///< addresses or CIDR; only theirs X-Forwarded-For and -Proto count
  /// Hears of exceptions that left a handler or a stream (bugs): the log entry. The client gets the request id alone.
  std::function<void(const Request&, std::string_view what)> on_exception = {};
  /// The answer to a request that the authoriser refused; empty: `problem`.
  std::function<Response(const Error&, std::string_view request_id)> refusal = {};
};

/// The HTTP/1.1 server of a process: keep-alive, gzip and zstd request bodies, TLS, streaming answers. Refuses what
/// Beast lets through: no or two Host headers, transfer codings other than `chunked`, obs-fold, bytes >= 0x80 in the
/// header section, unknown methods, repeated Content-Length.
class Server {
 public:
  /// `workers` undoes content encodings of bodies over 64 KiB. All references outlive the server.
  Server(async::Executor executor, async::WorkerPool& workers, const Router& router, Authorizer authorizer,
         Observer observer, ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Opens the listener and starts to accept. `bad_configuration` with one sentence when the address is taken, the
  /// certificate cannot be read, …
  Expected<void> start();
  /// The port really bound.
  [[nodiscard]] std::uint16_t port() const;
  /// Graceful: no new connection, `Connection: close` on answers, idle connections closed, streams told (`closed()`),
  /// requests in flight awaited up to `drain_time`, then cut.
  async::Task<> stop();

  struct Counters {
    std::uint64_t connections = 0, accepted = 0, refused_requests = 0, timeouts = 0, bytes_in = 0, bytes_out = 0;
  };
  [[nodiscard]] Counters counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cameleer::web
