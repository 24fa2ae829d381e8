#pragma once
#include <openssl/types.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cameleer/async/task.hpp>
#include <memory>
#include <span>
#include <tuple>

namespace cameleer::web {

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, async::Executor>;

/// TLS on a socket. boost::asio::ssl::stream keeps four buffers of 17 KiB a connection for its whole life; here OpenSSL
/// reads and writes the socket itself, and holds a buffer only while part of a record is in it.
///
/// At most one read and one write at a time. Closing or cancelling the socket ends what waits; the stream outlives
/// every operation begun.
class TlsStream {
 public:
  enum class Role : std::uint8_t { server, client };
  /// As `async::as_result` gives them.
  using Transferred = std::tuple<boost::system::error_code, std::size_t>;

  TlsStream(Socket socket, boost::asio::ssl::context& context, Role role);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  [[nodiscard]] Socket& socket() { return socket_; }
  [[nodiscard]] SSL* native_handle() { return ssl_.get(); }

  async::Task<boost::system::error_code> shake_hands();
  /// `eof`: the peer said that it ends. `stream_truncated`: it left without a word, or was cut off.
  async::Task<Transferred> read_some(boost::asio::mutable_buffer into);
  /// Sends the beginning of `buffers`, one record's worth at most. They stay as they are until all is sent.
  async::Task<Transferred> write_some(std::span<const boost::asio::const_buffer> buffers);
  /// Says that nothing more will be sent. What the peer still sends can be read.
  async::Task<> end_sending();

 private:
  struct SocketBio;
  struct FreeSsl {
    void operator()(SSL* ssl) const;
  };
  template <class Step>
  async::Task<Transferred> perform(Step step);
  boost::system::error_code failure(int reason);

  Socket socket_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  std::size_t budget_ = 0;  ///< bytes that OpenSSL may still read in this turn of the loop
  std::size_t received_ = 0;
  Role role_;
  bool broken_ = false;
};

}  // namespace cameleer::web
