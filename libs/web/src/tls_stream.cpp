#include "tls_stream.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <cerrno>
#include <climits>
#include <cstring>

namespace cameleer::web {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t kRecord = 16 * 1024;
/// A peer that sends records without content (key updates) faster than they are read must not keep the loop.
constexpr std::size_t kBudget = 4 * kRecord;
/// What a client may send before the handshake is done, and OpenSSL may keep of it. Its own bound is 128 KiB; honest
/// ones need 4, and may have sent a record of their first request already.
constexpr std::size_t kStrangerBytes = 2 * kRecord;

/// Small pieces share a record; a repeated step gathers the same bytes. Never inlined: a coroutine's frame would keep
/// the buffer.
[[gnu::noinline]] int write_record(SSL* ssl, std::span<const asio::const_buffer> buffers) {
  const auto first = buffers.front();
  if (buffers.size() == 1 || first.size() >= kRecord) {
    return SSL_write(ssl, first.data(), static_cast<int>(std::min(first.size(), kRecord)));
  }
  char record[kRecord];
  std::size_t gathered = 0;
  for (const auto& buffer : buffers) {
    const auto taken = std::min(buffer.size(), kRecord - gathered);
    if (taken > 0) std::memcpy(record + gathered, buffer.data(), taken);
    gathered += taken;
  }
  return SSL_write(ssl, record, static_cast<int>(gathered));
}

}  // namespace

/// How OpenSSL reads and writes: by the socket object, never by a descriptor that may be another's after a close, and
/// without SIGPIPE.
struct TlsStream::SocketBio {
  static const BIO_METHOD* method() {
    static const std::unique_ptr<BIO_METHOD, void (*)(BIO_METHOD*)> kMethod(make(), &BIO_meth_free);
    return kMethod.get();
  }

 private:
  static BIO_METHOD* make() {
    auto* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "asio socket");
    if (!method) throw std::bad_alloc();
    BIO_meth_set_read(method, &read);
    BIO_meth_set_write(method, &write);
    BIO_meth_set_ctrl(method, &control);
    return method;
  }

  static int read(BIO* bio, char* into, int size) {
    auto& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (stream.budget_ == 0) {
      BIO_set_retry_read(bio);
      return -1;
    }
    if (stream.role_ == Role::server && stream.received_ >= kStrangerBytes &&
        !SSL_is_init_finished(stream.ssl_.get())) {
      errno = EMSGSIZE;
      return -1;
    }
    const auto got = ::recv(stream.socket_.native_handle(), into, static_cast<std::size_t>(size), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
    if (got > 0) {
      stream.budget_ -= std::min(stream.budget_, static_cast<std::size_t>(got));
      stream.received_ += static_cast<std::size_t>(got);
    }
    return static_cast<int>(got);
  }

  static int write(BIO* bio, const char* from, int size) {
    auto& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const auto put =
        ::send(stream.socket_.native_handle(), from, static_cast<std::size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
    return static_cast<int>(put);
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }
};

void TlsStream::FreeSsl::operator()(SSL* ssl) const {
  SSL_free(ssl);
}

TlsStream::TlsStream(Socket socket, asio::ssl::context& context, Role role)
    : socket_(std::move(socket)), ssl_(SSL_new(context.native_handle())), role_(role) {
  auto* bio = BIO_new(SocketBio::method());
  if (!ssl_ || !bio) {
    BIO_free(bio);
    throw std::bad_alloc();
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_mode(ssl_.get(),
               SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_set_read_ahead(ssl_.get(), 1);  // a record by one call of the system, not by two
  if (role == Role::server) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
  }
}

TlsStream::~TlsStream() = default;

/// Why a step did not go on; nothing can follow but the end.
error_code TlsStream::failure(int reason) {
  if (reason == SSL_ERROR_ZERO_RETURN) return asio::error::eof;
  broken_ = true;
  const auto code = ERR_get_error();
  if (reason == SSL_ERROR_SYSCALL && code == 0 && errno != 0) return {errno, asio::error::get_system_category()};
  if (reason == SSL_ERROR_SYSCALL || ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return asio::ssl::error::stream_truncated;
  }
  return {static_cast<int>(code), asio::error::get_ssl_category()};
}

/// Runs a step of OpenSSL, and again each time the socket is as it wants it. A step that needs no wait takes a turn of
/// the loop all the same: others have theirs.
template <class Step>
async::Task<TlsStream::Transferred> TlsStream::perform(Step step) {
  for (bool waited = false;; waited = true) {
    if (!socket_.is_open()) co_return Transferred(asio::error::operation_aborted, 0);
    ERR_clear_error();
    errno = 0;
    budget_ = kBudget;
    const int result = step(ssl_.get());
    if (result > 0) {
      if (!waited) co_await asio::post(socket_.get_executor(), async::use_task);
      co_return Transferred(error_code(), static_cast<std::size_t>(result));
    }
    const int reason = SSL_get_error(ssl_.get(), result);
    if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) co_return Transferred(failure(reason), 0);
    auto [error] = co_await socket_.async_wait(reason == SSL_ERROR_WANT_READ ? Socket::wait_read : Socket::wait_write,
                                               async::as_result);
    if (error) co_return Transferred(error, 0);
  }
}

async::Task<error_code> TlsStream::shake_hands() {
  auto [error, unused] = co_await perform([](SSL* ssl) { return SSL_do_handshake(ssl); });
  co_return error == asio::error::eof ? error_code(asio::ssl::error::stream_truncated) : error;
}

async::Task<TlsStream::Transferred> TlsStream::read_some(asio::mutable_buffer into) {
  if (into.size() == 0) co_return Transferred();
  const int size = static_cast<int>(std::min<std::size_t>(into.size(), INT_MAX));
  co_return co_await perform([into, size](SSL* ssl) { return SSL_read(ssl, into.data(), size); });
}

async::Task<TlsStream::Transferred> TlsStream::write_some(std::span<const asio::const_buffer> buffers) {
  while (!buffers.empty() && buffers.front().size() == 0) buffers = buffers.subspan(1);
  if (buffers.empty()) co_return Transferred();
  co_return co_await perform([buffers](SSL* ssl) { return write_record(ssl, buffers); });
}

async::Task<> TlsStream::end_sending() {
  if (broken_ || !SSL_is_init_finished(ssl_.get())) co_return;
  // 0: said; the peer's own end has not come yet.
  co_await perform([](SSL* ssl) {
    const int said = SSL_shutdown(ssl);
    return said == 0 ? 1 : said;
  });
}

}  // namespace cameleer::web
