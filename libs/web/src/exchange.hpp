#pragma once
#include "content_coding.hpp"
#include "request_reader.hpp"
#include "server_state.hpp"

namespace cameleer::web {

/// What an exchange asks of the connection under it.
class Channel {
 public:
  /// Reads the body into the request. False: the peer is gone.
  virtual async::Task<Checked<bool>> read_body() = 0;
  /// Tells a client that waits with `Expect: 100-continue` to go on.
  virtual async::Task<bool> send_continue() = 0;
  /// From here on the authoriser or the handler works, at most so long.
  virtual void handling(std::chrono::milliseconds limit) = 0;

 protected:
  ~Channel() = default;
};

/// One request from its header section to its response, without knowing the stream: route, authorise, body, content
/// coding, handler. The order matters: a stranger cannot make the server read or decode a body.
class Exchange {
 public:
  Exchange(ServerState& state, RequestReader& reader, Channel& channel)
      : state_(state), reader_(reader), channel_(channel) {}
  ~Exchange() { release(); }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Makes ready for the next request.
  void begin(const boost::asio::ip::address& peer, const std::string& peer_text, bool secure);
  /// The header section is there (or was refused).
  void head_read(bool refused);
  /// No value: the peer is gone.
  async::Task<std::optional<Response>> answer();
  Response refused(const Refusal& refusal);
  /// Counts the body against the bound of the server.
  Checked<void> account();
  /// The response was sent, as far as it could be.
  void finish(int status);
  void report(std::string_view what);

  [[nodiscard]] const Request& request() const { return request_; }
  [[nodiscard]] bool must_close() const { return must_close_; }

  std::size_t sent_bytes = 0;

 private:
  Response no_route(const Router::Match& match);
  async::Task<std::optional<Response>> take_body();
  async::Task<Checked<std::string>> decoded(ContentCoding coding, std::size_t limit);
  void release();

  ServerState& state_;
  RequestReader& reader_;
  Channel& channel_;
  Request request_;
  const Route* route_ = nullptr;
  const boost::asio::ip::address* peer_ = nullptr;
  std::chrono::steady_clock::time_point began_;
  std::size_t accounted_ = 0;
  bool must_close_ = false;
  bool finished_ = false;
};

}  // namespace cameleer::web
