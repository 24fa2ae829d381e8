#pragma once
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "body_decoder.hpp"
#include "socket.hpp"

namespace cameleer::engine {

/// Bytes that are decoded from a percent-encoded query component; `+` is a space. nullopt: a broken escape.
std::optional<std::string> percent_decoded(std::string_view text);

/// The requests of one connection, one after the other: Beast parses, this class reads the socket with deadlines.
class RequestReader {
 public:
  static constexpr std::size_t max_header = 1 << 20;  ///< a query may stand in the URL
  static constexpr std::chrono::seconds idle_timeout{65};
  static constexpr std::chrono::seconds read_timeout{60};

  enum class Outcome {
    request,   ///< one is there; its body is still on the wire
    closed,    ///< the peer ended or was silent
    malformed  ///< not HTTP: answer 400 and close
  };

  explicit RequestReader(Socket& socket) : socket_(socket) {}
  Outcome next();

  [[nodiscard]] std::string_view method() const;
  [[nodiscard]] std::string_view path() const { return path_; }
  /// Decoded names and values of the URL, in order.
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& parameters() const { return parameters_; }
  [[nodiscard]] std::string_view parameter(std::string_view name) const;
  [[nodiscard]] std::string_view header(std::string_view name) const;
  [[nodiscard]] bool http_1_0() const;
  [[nodiscard]] bool keep_alive() const;

  /// Prepares the body: its encoding. Before the first `read_body`.
  Result<void> open_body();
  /// The next decoded bytes, empty at the body's end; they are valid until the next call. An error of code 210 means
  /// that the client has gone or sends garbage: nothing can be answered after it.
  Result<std::string_view> read_body();
  /// Whether the connection can carry another request: the body has been read, or what is left is short.
  bool drain();

 private:
  bool parse_target();
  /// Raw body bytes into `raw_`; false at the end.
  Result<bool> read_raw();

  Socket& socket_;
  std::string pending_;  // read from the socket, not yet parsed
  std::optional<boost::beast::http::request_parser<boost::beast::http::buffer_body>> parser_;
  std::string path_;
  std::vector<std::pair<std::string, std::string>> parameters_;
  std::unique_ptr<BodyDecoder> decoder_;
  std::string raw_;
  std::string decoded_;
  bool raw_ended_ = false;
  bool finished_ = false;
  bool continue_sent_ = false;
};

}  // namespace cameleer::engine
