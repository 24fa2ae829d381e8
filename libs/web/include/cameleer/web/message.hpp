#pragma once
#include <cameleer/async/task.hpp>
#include <cameleer/core/error.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// HTTP/1.1 as features see it: plain values, no Beast. What reaches a handler has passed the server's strictness.
namespace cameleer::web {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options };
std::string_view name_of(Method method);

struct Header {
  std::string name;
  std::string value;
};

/// A request, owned by the connection for as long as its handler runs.
struct Request {
  Method method = Method::get;
  std::string target;  ///< origin-form as received
  std::string path;    ///< percent-decoded, without the query and without the base path
  std::vector<std::pair<std::string, std::string>> query;            ///< decoded, in order
  std::vector<std::pair<std::string, std::string>> path_parameters;  ///< decoded, in the order of the route's pattern
  std::vector<Header> headers;
  /// The body after Content-Encoding was undone. Its capacity exceeds its size by 64 bytes at least, so that simdjson
  /// can read it in place.
  std::string body = {};
  std::string request_id;      ///< also in the answer's X-Request-Id and in every log line of this request
  std::string remote_address;  ///< the peer, or what a trusted proxy says
  bool secure = false;         ///< came by TLS, or a trusted proxy says so
  /// What the authoriser found out about the caller; the server's own type (see apps/server/auth/principal.hpp).
  std::shared_ptr<const void> principal;

  /// First value of a header, any case; empty when absent.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  /// First value of a query parameter.
  [[nodiscard]] std::optional<std::string_view> query_value(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> query_values(std::string_view name) const;
  /// Value of `{name}` in the route's pattern; empty when the pattern has none of that name.
  [[nodiscard]] std::string_view path_parameter(std::string_view name) const;
};

/// Where a streamed body goes. Each write returns when the kernel took the bytes: a slow reader slows its writer and
/// nobody else. False: the peer is gone, or was slower than the stream's write limit; stop.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  virtual async::Task<bool> write(std::string_view bytes) = 0;
  /// True once the peer is gone or the server drains; a stream that only waits should look at it.
  [[nodiscard]] virtual bool closed() const = 0;
  /// Calls `notify` once when closed() becomes true, so that a stream that only waits need not look; empty: no more.
  virtual void on_closed(std::function<void()> /*notify*/) {}
};

struct Response {
  int status = 200;
  std::string content_type = {};  ///< empty: no Content-Type header
  std::string body = {};
  std::vector<Header> headers = {};
  /// Set: the body is streamed (chunked) by this coroutine instead of `body`.
  std::function<async::Task<>(BodyWriter&)> stream = {};

  static Response json(std::string body, int status = 200);
  static Response empty(int status);
};

/// `application/problem+json` (RFC 9457) with the members type, title, status, code, detail, member and requestId.
/// `status`: a more exact one than that of the code; 0: that of the code.
Response problem(const Error& error, std::string_view request_id, int status = 0);

}  // namespace cameleer::web
