#pragma once
#include <string>
#include <string_view>

#include "socket.hpp"

namespace cameleer::engine {

/// The answer to one request: headers, then either a whole body or chunks as they come.
class Response {
 public:
  static constexpr std::chrono::seconds write_timeout{60};

  Response(Socket& socket, bool http_1_0, bool keep_alive)
      : socket_(socket), chunked_(!http_1_0), keep_(keep_alive && !http_1_0) {}

  /// A name and a value without line ends (they are dropped).
  void set(std::string_view name, std::string_view value);
  void close_after() { keep_ = false; }
  [[nodiscard]] bool keeps_open() const { return keep_ && !failed_; }
  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] bool failed() const { return failed_; }

  /// False when the client does not take it; so in the calls below.
  bool send(int status, std::string_view body, bool head_only = false);
  bool begin(int status);
  bool chunk(std::string_view bytes);
  bool finish();
  /// Ends a begun answer as a broken one: no last chunk, and the connection ends.
  void cut();

 private:
  bool write(std::string_view bytes);
  std::string head(int status, std::string_view framing) const;

  Socket& socket_;
  std::string headers_;
  bool chunked_;
  bool keep_;
  bool started_ = false;
  bool failed_ = false;
};

}  // namespace cameleer::engine
