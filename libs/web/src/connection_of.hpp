#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "connection.hpp"
#include "exchange.hpp"
#include "inbox.hpp"
#include "request_reader.hpp"
#include "response_head.hpp"

/// A connection over one type of stream. Included by connection_plain.cpp and connection_tls.cpp alone.
namespace cameleer::web {

inline Socket& socket_of(Socket& stream) {
  return stream;
}
inline Socket& socket_of(TlsStream& stream) {
  return stream.socket();
}
inline auto read_some(Socket& stream, boost::asio::mutable_buffer into) {
  return stream.async_read_some(into, async::as_result);
}
inline auto read_some(TlsStream& stream, boost::asio::mutable_buffer into) {
  return stream.read_some(into);
}
inline auto write_some(Socket& stream, std::span<const boost::asio::const_buffer> buffers) {
  return stream.async_write_some(buffers, async::as_result);
}
inline auto write_some(TlsStream& stream, std::span<const boost::asio::const_buffer> buffers) {
  return stream.write_some(buffers);
}

template <class Stream>
class Connection final : public ConnectionBase,
                         public Channel,
                         public BodyWriter,
                         public std::enable_shared_from_this<Connection<Stream>> {
 public:
  template <class... OfStream>
  explicit Connection(std::shared_ptr<ServerState> state, OfStream&&... of_stream)
      : stream_(std::forward<OfStream>(of_stream)...),
        state_(std::move(state)),
        inbox_(state_->options.header_bytes),
        reader_(state_->options.header_bytes),
        exchange_(*state_, reader_, *this) {
    boost::system::error_code ignored;
    socket_of(stream_).set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    peer_ = unmapped(socket_of(stream_).remote_endpoint(ignored).address());
    peer_text_ = peer_.to_string();
  }

  static async::Task<> run(std::shared_ptr<Connection> self) {
    self->state_->connections.push_back(*self);
    try {
      if (co_await self->shake_hands()) {
        while (co_await self->serve_one()) {
        }
        co_await self->say_goodbye();
      }
    } catch (const std::exception& error) {
      self->exchange_.report(error.what());
    } catch (...) {
      self->exchange_.report("an exception of unknown type");
    }
    if (!self->late_answer_) self->cut();
    --self->state_->counters.connections;
    self->state_->room_made.cancel();
  }

  // ConnectionBase

  void expire() override {
    ++state_->counters.timeouts;
    deadline = Time::max();
    if (phase_ == Phase::handling) {
      answer_late();
    } else if ((phase_ == Phase::head && !inbox_.empty()) || phase_ == Phase::body) {
      timed_out_ = true;  // the coroutine says 408
      boost::system::error_code ignored;
      socket_of(stream_).cancel(ignored);
    } else {
      cut();
    }
  }

  void drain() override {
    if (phase_ == Phase::idle || phase_ == Phase::handshake) cut();
    if (phase_ == Phase::streaming) notify_closed();
  }

  void cut() override {
    boost::system::error_code ignored;
    socket_of(stream_).close(ignored);
    gone_ = true;
    notify_closed();
  }

  // Channel: what an exchange asks of its connection while it works

  async::Task<Checked<bool>> read_body() override {
    enter(Phase::body, state_->options.body_time);
    while (reader_.state() == RequestReader::State::body) {
      if (!inbox_.empty()) {
        auto used = reader_.feed(inbox_.view());
        if (!used) co_return std::unexpected(used.error());
        inbox_.consume(*used);
        if (auto room = exchange_.account(); !room) co_return std::unexpected(room.error());
        if (reader_.state() == RequestReader::State::complete) break;
      }
      if (!co_await fill()) {
        if (timed_out_) co_return refuse(ErrorCode::request_timeout, "The body did not arrive in time.");
        co_return false;
      }
    }
    co_return true;
  }

  async::Task<bool> send_continue() override {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    enter(Phase::writing, state_->options.write_time);
    co_return co_await send({boost::asio::buffer(kContinue)});
  }

  void handling(std::chrono::milliseconds limit) override { enter(Phase::handling, limit); }

  // BodyWriter

  async::Task<bool> write(std::string_view bytes) override {
    if (closed()) co_return false;
    if (bytes.empty() || reader_.http_1_0())
      co_return bytes.empty() || co_await send_stream({boost::asio::buffer(bytes)});
    out_.clear();
    fmt::format_to(std::back_inserter(out_), FMT_COMPILE("{:x}\r\n"), bytes.size());
    if (bytes.size() > kCopyBytes) {
      co_return co_await send_stream(
          {boost::asio::buffer(out_), boost::asio::buffer(bytes), boost::asio::buffer("\r\n", 2)});
    }
    out_.append(bytes).append("\r\n");
    co_return co_await send_stream({boost::asio::buffer(out_)});
  }

  bool closed() const override { return gone_ || state_->draining; }

  void on_closed(std::function<void()> notify) override { notify_ = std::move(notify); }

 private:
  using Buffers = std::array<boost::asio::const_buffer, 3>;
  enum class Phase : std::uint8_t { handshake, idle, head, body, handling, writing, streaming, closing };
  static constexpr std::size_t kCopyBytes = 16 * 1024;     ///< smaller bodies are copied behind their head
  static constexpr std::size_t kDiscardBytes = 64 * 1024;  ///< of a body nobody wants, to keep the connection

  void enter(Phase phase, std::chrono::milliseconds limit) {
    phase_ = phase;
    deadline = limit == limit.max() ? Time::max() : state_->now + limit;
  }

  async::Task<bool> shake_hands() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      enter(Phase::handshake, state_->options.header_time);
      if (co_await stream_.shake_hands()) co_return false;
    }
    // The first request has to come soon; only a connection that has proved useful may idle.
    enter(Phase::idle, state_->options.header_time);
    co_return !state_->draining;
  }

  async::Task<bool> fill() {
    auto [error, count] = co_await read_some(stream_, inbox_.room());
    inbox_.add(count);
    state_->counters.bytes_in += count;
    if (error) gone_ = !timed_out_;
    co_return !error && !timed_out_ && count > 0;
  }

  /// One request and its answer. False: the connection ends.
  async::Task<bool> serve_one() {
    exchange_.begin(peer_, peer_text_, std::is_same_v<Stream, TlsStream>);
    timed_out_ = false;
    while (reader_.state() == RequestReader::State::head) {
      if (!inbox_.empty()) {
        if (phase_ == Phase::idle) enter(Phase::head, state_->options.header_time);
        auto used = reader_.feed(inbox_.view());
        if (!used) {
          exchange_.head_read(true);
          co_return co_await respond(exchange_.refused(used.error()), true);
        }
        inbox_.consume(*used);
        if (*used > 0) continue;
      }
      auto [error, count] = co_await read_some(stream_, inbox_.room());
      inbox_.add(count);
      state_->counters.bytes_in += count;
      if (timed_out_) {
        exchange_.head_read(true);
        co_return co_await respond(
            exchange_.refused({{ErrorCode::request_timeout, "The header section did not arrive in time."}, 408}), true);
      }
      if (error || count == 0) {
        gone_ = true;
        co_return false;
      }
    }
    exchange_.head_read(false);
    auto response = co_await exchange_.answer();
    if (abandoned_ || state_->stopped || !response) co_return false;
    co_return co_await respond(std::move(*response), exchange_.must_close());
  }

  async::Task<bool> respond(Response response, bool close) {
    const bool unread = reader_.state() == RequestReader::State::body;
    close = close || state_->draining || !reader_.keep_alive() ||
            (unread && reader_.content_length().value_or(kDiscardBytes + 1) > kDiscardBytes);
    const bool bodyless = exchange_.request().method == Method::head;
    ResponseFrame frame{state_->date, exchange_.request().request_id, close, reader_.http_1_0(), bodyless};
    out_.clear();
    if (!append_head(out_, response, frame)) {
      exchange_.report("a handler set a response header that contains control characters");
      response = problem({ErrorCode::internal, {}}, exchange_.request().request_id);
      append_head(out_, response, frame);
    }
    const bool body = !bodyless && !response.stream && !has_no_body(response.status);
    enter(Phase::writing, state_->options.write_time);
    exchange_.sent_bytes = 0;
    bool sent = false;
    if (body && response.body.size() > kCopyBytes) {
      sent = co_await send({boost::asio::buffer(out_), boost::asio::buffer(response.body)});
    } else {
      if (body) out_ += response.body;
      sent = co_await send({boost::asio::buffer(out_)});
    }
    if (sent && response.stream && !bodyless) sent = co_await stream_body(response);
    exchange_.finish(response.status);
    if (out_.capacity() > kCopyBytes) out_ = {};
    if (!sent || close || state_->draining) co_return false;
    if (unread && !co_await discard_body()) co_return false;
    inbox_.shrink();
    enter(Phase::idle, state_->options.idle_time);
    co_return true;
  }

  async::Task<bool> send(Buffers buffers) {
    std::size_t first = 0;
    while (first < buffers.size() && buffers[first].size() == 0) ++first;
    while (first < buffers.size()) {
      auto [error, count] = co_await write_some(stream_, std::span(buffers).subspan(first));
      state_->counters.bytes_out += count;
      exchange_.sent_bytes += count;
      if (error) {
        gone_ = true;
        co_return false;
      }
      if (deadline != Time::max()) deadline = state_->now + state_->options.write_time;
      while (first < buffers.size() && count >= buffers[first].size()) count -= buffers[first++].size();
      if (first < buffers.size()) buffers[first] += count;
    }
    co_return true;
  }

  /// Between its writes a stream may wait as long as it likes.
  async::Task<bool> send_stream(Buffers buffers) {
    deadline = state_->now + state_->options.write_time;
    const bool sent = co_await send(buffers);
    deadline = Time::max();
    co_return sent;
  }

  async::Task<bool> stream_body(Response& response) {
    enter(Phase::streaming, std::chrono::milliseconds::max());
    async::SteadyTimer watch_ended(state_->executor, Time::max());
    watching_ = true;
    boost::asio::co_spawn(state_->executor, watch(this->shared_from_this(), watch_ended), boost::asio::detached);
    bool whole = false;
    try {
      co_await response.stream(*this);
      whole = !gone_;
    } catch (const std::exception& error) {
      exchange_.report(error.what());
    } catch (...) {
      exchange_.report("an exception of unknown type");
    }
    notify_ = {};
    if (whole && !reader_.http_1_0()) whole = co_await send_stream({boost::asio::buffer("0\r\n\r\n", 5)});
    const bool gone = gone_;
    boost::system::error_code ignored;
    stop_watching_ = true;
    socket_of(stream_).cancel(ignored);
    while (watching_) co_await watch_ended.async_wait(async::as_result);
    stop_watching_ = false;
    gone_ = gone_ || gone;
    co_return whole && !gone;
  }

  /// Notices that the peer of a stream has gone; what a pipelining peer sends meanwhile is kept.
  static async::Task<> watch(std::shared_ptr<Connection> self, async::SteadyTimer& ended) {
    while (!self->stop_watching_) {
      const auto room = self->inbox_.room();
      if (room.size() == 0) break;
      auto [error, count] = co_await read_some(self->stream_, room);
      self->inbox_.add(count);
      self->state_->counters.bytes_in += count;
      if (self->stop_watching_) break;
      if (error) {
        self->cut();
        break;
      }
    }
    self->watching_ = false;
    ended.cancel();
  }

  async::Task<bool> discard_body() {
    enter(Phase::body, state_->options.body_time);
    while (reader_.state() == RequestReader::State::body) {
      if (!inbox_.empty()) {
        auto used = reader_.feed(inbox_.view());
        if (!used || reader_.discarded() > kDiscardBytes) co_return false;
        inbox_.consume(*used);
        if (reader_.state() == RequestReader::State::complete) break;
      }
      if (!co_await fill()) co_return false;
    }
    co_return true;
  }

  /// Ends the connection so that the answer arrives: a socket closed over unread bytes resets, and the peer may lose
  /// what was sent before.
  async::Task<> say_goodbye() {
    if (gone_ || abandoned_ || state_->stopped || !socket_of(stream_).is_open()) co_return;
    enter(Phase::closing, std::chrono::seconds(2));
    boost::system::error_code ignored;
    if constexpr (std::is_same_v<Stream, TlsStream>) co_await stream_.end_sending();
    socket_of(stream_).shutdown(Socket::shutdown_send, ignored);
    const bool all_read = reader_.state() == RequestReader::State::complete && inbox_.empty();
    if (state_->draining && all_read) co_return;
    for (std::size_t total = 0; total < 4 * kDiscardBytes;) {
      inbox_.clear();
      auto [error, count] = co_await read_some(stream_, inbox_.room());
      if (error || count == 0) break;
      total += count;
    }
  }

  /// The handler is over its limit. It may run on, but its peer gets an answer now, and nothing else.
  void answer_late() {
    abandoned_ = true;
    auto response = problem({ErrorCode::overloaded, "The request took longer than this server allows."},
                            exchange_.request().request_id);
    response.headers.push_back({"Retry-After", "5"});
    out_.clear();
    append_head(out_, response, {state_->date, exchange_.request().request_id, true, reader_.http_1_0(), false});
    if (exchange_.request().method != Method::head) out_ += response.body;
    phase_ = Phase::closing;
    deadline = state_->now + state_->options.write_time;
    exchange_.finish(response.status);
    late_answer_ = true;
    boost::asio::co_spawn(state_->executor, send_late(this->shared_from_this()), boost::asio::detached);
  }

  static async::Task<> send_late(std::shared_ptr<Connection> self) {
    co_await self->send({boost::asio::buffer(self->out_)});
    self->late_answer_ = false;
    self->cut();
  }

  void notify_closed() {
    if (auto notify = std::exchange(notify_, {})) notify();
  }

  Stream stream_;
  std::shared_ptr<ServerState> state_;
  Inbox inbox_;
  std::string out_;
  RequestReader reader_;
  Exchange exchange_;
  boost::asio::ip::address peer_;
  std::string peer_text_;
  std::function<void()> notify_;
  Phase phase_ = Phase::handshake;
  bool timed_out_ = false;
  bool gone_ = false;
  bool abandoned_ = false;
  bool late_answer_ = false;  ///< is being sent; the connection ends after it
  bool watching_ = false;
  bool stop_watching_ = false;
};

}  // namespace cameleer::web
