#include <openssl/ssl.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>

#include "live_server.hpp"
#include "server_certificate.hpp"

using namespace cameleer;
using namespace live;

namespace {

web::ServerOptions options_of(const Certificate& certificate) {
  auto options = certificate.options();
  options.header_time = std::chrono::seconds(60);  // no test waits for it
  return options;
}

/// A TLS client that says when its records are written, and in which pieces.
class RecordPeer {
 public:
  explicit RecordPeer(const Server& server, std::size_t piece = 65'536, int version = TLS1_3_VERSION)
      : peer_(server.connect()), piece_(piece), context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free) {
    tls_.reset(SSL_new(context_.get()));
    SSL_set_max_proto_version(tls_.get(), version);
    SSL_set_bio(tls_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    while (SSL_connect(tls_.get()) != 1) {
      flush();
      if (!more()) throw std::runtime_error("no handshake");
    }
    flush();
  }

  SSL* tls() { return tls_.get(); }
  Peer& peer() { return peer_; }
  /// Encrypts; nothing is on its way before `flush`.
  void write(std::string_view text) { REQUIRE(SSL_write(tls_.get(), text.data(), static_cast<int>(text.size())) > 0); }
  void send(std::string_view text) {
    write(text);
    flush();
  }
  /// False: the server takes no more.
  bool flush() {
    char bytes[65'536];
    for (int count = 0; (count = BIO_read(SSL_get_wbio(tls_.get()), bytes, static_cast<int>(piece_))) > 0;) {
      if (!peer_.send({bytes, static_cast<std::size_t>(count)})) return false;
    }
    return true;
  }
  std::string until(std::string_view end) {
    while (text_.find(end) == std::string::npos && read()) {
    }
    const auto size = std::min(text_.find(end), text_.size() - std::min(end.size(), text_.size())) + end.size();
    auto part = text_.substr(0, size);
    text_.erase(0, size);
    return part;
  }
  std::string rest() {
    while (read()) {
    }
    return std::exchange(text_, {});
  }
  [[nodiscard]] bool ended_cleanly() const { return (SSL_get_shutdown(tls_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

 private:
  bool read() {
    char bytes[16'384];
    for (;;) {
      const int count = SSL_read(tls_.get(), bytes, sizeof bytes);
      if (count > 0) {
        text_.append(bytes, static_cast<std::size_t>(count));
        return true;
      }
      if (SSL_get_error(tls_.get(), count) != SSL_ERROR_WANT_READ || !more()) return false;
    }
  }
  bool more() {
    char bytes[16'384];
    const auto count = peer_.receive(bytes, sizeof bytes);
    if (count > 0) BIO_write(SSL_get_rbio(tls_.get()), bytes, static_cast<int>(count));
    return count > 0;
  }

  Peer peer_;
  std::size_t piece_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> tls_{nullptr, &SSL_free};
  std::string text_;
};

constexpr std::string_view kWorld = "world\"}";

}  // namespace

TEST_CASE("a TLS peer may send byte by byte") {
  const Certificate certificate;
  const Server server(options_of(certificate));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    RecordPeer peer(server, 1, version);
    peer.send(get("/hello"));
    CHECK(peer.until(kWorld).starts_with("HTTP/1.1 200 OK"));
    peer.send(post("/large", std::string(20'000, 'b'), "Connection: close\r\n"));
    CHECK(peer.rest().ends_with(std::string(20'000, 'b')));
    CHECK(peer.ended_cleanly());
  }
}

TEST_CASE("a request may come in the same bytes as the end of the handshake, and many in one record") {
  const Certificate certificate;
  const Server server(options_of(certificate));
  RecordPeer peer(server);
  std::string all;
  for (int count = 0; count < 50; ++count) all += get("/hello");
  peer.send(all + get("/hello", "Connection: close\r\n"));
  const auto answers = peer.rest();
  std::size_t found = 0;
  for (auto at = answers.find(kWorld); at != std::string::npos; at = answers.find(kWorld, at + 1)) ++found;
  CHECK(found == 51);
}

TEST_CASE("the keys of a TLS connection may change at any time") {
  const Certificate certificate;
  const Server server(options_of(certificate));
  RecordPeer peer(server);
  const std::string body(300'000, 'k');
  for (int round = 0; round < 3; ++round) {
    REQUIRE(SSL_key_update(peer.tls(), SSL_KEY_UPDATE_REQUESTED) == 1);
    peer.send(post("/large", body));
    CHECK(peer.until(body).ends_with(body));
  }
}

TEST_CASE("a storm of key updates keeps nobody else waiting") {
  const Certificate certificate;
  const Server server(options_of(certificate));
  RecordPeer peer(server);
  for (int count = 0; count < 5'000; ++count) {
    REQUIRE(SSL_key_update(peer.tls(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
    REQUIRE(SSL_do_handshake(peer.tls()) == 1);
  }
  peer.send(get("/hello"));
  RecordPeer other(server);
  other.send(get("/hello"));
  CHECK(other.until(kWorld).starts_with("HTTP/1.1 200 OK"));
  CHECK(peer.until(kWorld).starts_with("HTTP/1.1 200 OK"));
}

TEST_CASE("a TLS peer that has said its end still gets its answer") {
  const Certificate certificate;
  const Server server(options_of(certificate));
  RecordPeer peer(server);
  peer.write(get("/hello"));
  SSL_shutdown(peer.tls());
  peer.flush();
  peer.peer().finish_sending();
  CHECK(peer.rest().ends_with(kWorld));
}

TEST_CASE("a TLS peer that is cut off in a body leaves nothing behind") {
  const Certificate certificate;
  const Server server(options_of(certificate));
  {
    RecordPeer peer(server);
    peer.send(post("/large", std::string(50'000, 'c')).substr(0, 30'000));
  }
  CHECK(server.eventually([&] { return server.connections() == 0; }));
  CHECK(server.on_loop([&] { return server.notes.handled; }) == 0);
}

TEST_CASE("a TLS peer that reads late gets all of a large answer, and its next request is kept meanwhile") {
  const Certificate certificate;
  auto route = web::Route{web::Method::get, "/stream", {}, {"public"}, {}, {}};
  route.handler = [](web::Request&) -> Task<web::Response> {
    web::Response response{200, "text/plain", {}};
    response.stream = [](web::BodyWriter& writer) -> Task<> {
      // More than the kernel's buffers of both sides take.
      for (int piece = 0; piece < 200; ++piece) co_await writer.write(std::string(100'000, 's'));
    };
    co_return response;
  };
  const Server server(options_of(certificate), {route});
  RecordPeer peer(server);
  peer.send(get("/stream"));
  // The server can write no more, and reads what comes: new keys and a request.
  std::uint64_t written = 0;
  int unchanged = 0;
  REQUIRE(server.eventually([&] {
    unchanged = server.bytes_out() > 1'000'000 && server.bytes_out() == written ? unchanged + 1 : 0;
    written = server.bytes_out();
    return unchanged == 50;
  }));
  REQUIRE(SSL_key_update(peer.tls(), SSL_KEY_UPDATE_REQUESTED) == 1);
  peer.send(get("/hello", "Connection: close\r\n"));
  const auto all = peer.rest();
  CHECK(std::ranges::count(all, 's') >= 20'000'000);
  CHECK(all.ends_with(kWorld));
  CHECK(peer.ended_cleanly());
}

TEST_CASE("a handshake that grows beyond reason is ended") {
  const Certificate certificate;
  const Server server(options_of(certificate));
  auto peer = server.connect();
  // A first message of 131,392 bytes, the most that OpenSSL would take, in records of 16 KiB.
  const std::string start("\x01\x02\x01\x40\x03\x03", 6);
  for (int record = 0; record < 5; ++record) {
    std::string bytes("\x16\x03\x01\x40\x00", 5);
    if (record == 0) bytes += start;
    bytes.resize(5 + 0x4000, 'h');
    if (!peer.send(bytes)) break;
  }
  char byte = 0;
  CHECK(peer.receive(&byte, 1) <= 0);
  CHECK(server.eventually([&] { return server.connections() == 0; }));
}
