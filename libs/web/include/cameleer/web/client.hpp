#pragma once
#include <cameleer/web/message.hpp>

namespace cameleer::web {

/// Where a client connects: `http://127.0.0.1:8123`, `https://ch.example:8443`, `unix:/run/docker.sock`.
struct Endpoint {
  enum class Kind : std::uint8_t { tcp, tls, unix_socket } kind = Kind::tcp;
  std::string host;  ///< name or address; for unix_socket the path
  std::uint16_t port = 80;
  static Expected<Endpoint> parse(std::string_view url);
};

struct ClientOptions {
  std::size_t max_connections = 16;  ///< to the endpoint; further requests wait for one, within their deadline
  std::chrono::milliseconds connect_time{5'000};
  std::chrono::seconds idle_time{30};          ///< an unused connection older than this is closed
  std::size_t max_response_bytes = 64u << 20;  ///< of `send`; streams have no bound
  std::string tls_ca_file;                     ///< empty: the system's; host names are always checked
};

struct ClientRequest {
  Method method = Method::get;
  std::string target = "/";  ///< origin-form, already percent-encoded
  std::vector<Header> headers = {};
  std::string body = {};
  std::chrono::milliseconds deadline{30'000};  ///< from the call to the last byte (send) or to the header (open)
  bool idempotent = false;                     ///< may be sent again once when a kept connection turns out to be dead
};

struct ClientResponse {
  int status = 0;
  std::vector<Header> headers;
  std::string body;
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// An answer read piece by piece. Dropping it before the end closes its connection.
class ClientStream {
 public:
  virtual ~ClientStream() = default;
  [[nodiscard]] virtual const ClientResponse& head() const = 0;  ///< status and headers; body empty
  /// The next bytes; empty at the end. An answer cut short (no last chunk, too few bytes) is `upstream_error`.
  virtual async::Task<Expected<std::string>> next(std::chrono::milliseconds deadline) = 0;
};

/// A pooled HTTP/1.1 client to one endpoint. I/O thread only. Failures: `unavailable` (cannot connect, connection
/// lost), `upstream_timeout` (deadline), `upstream_error` (not HTTP, cut short, too large).
class Client {
 public:
  Client(async::Executor executor, Endpoint endpoint, ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  async::Task<Expected<ClientResponse>> send(ClientRequest request);
  async::Task<Expected<std::unique_ptr<ClientStream>>> open(ClientRequest request);
  [[nodiscard]] const Endpoint& endpoint() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// Percent-encodes everything but unreserved characters (RFC 3986, 2.3).
std::string percent_encode(std::string_view text);

}  // namespace cameleer::web
