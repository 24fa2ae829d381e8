#include <openssl/ssl.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>

#include "live_server.hpp"
#include "server_certificate.hpp"

using namespace cameleer;
using namespace live;
namespace asio = boost::asio;

namespace {

class TlsPeer {
 public:
  explicit TlsPeer(const Server& server, int highest_version = 0) : context_(asio::ssl::context::tls_client) {
    if (highest_version != 0) {
      SSL_set_security_level(stream_.native_handle(), 0);
      SSL_set_max_proto_version(stream_.native_handle(), highest_version);
    }
    stream_.next_layer().connect({asio::ip::address_v4::loopback(), server.port()});
    stream_.handshake(asio::ssl::stream_base::client, error_);
  }
  [[nodiscard]] bool connected() const { return !error_; }
  [[nodiscard]] std::string version() { return SSL_get_version(stream_.native_handle()); }
  void send(std::string_view bytes) { asio::write(stream_, asio::buffer(bytes)); }
  std::string until(std::string_view end) {
    std::string text;
    asio::read_until(stream_, asio::dynamic_buffer(text), std::string(end), error_);
    return text;
  }
  std::string rest() {
    std::string text;
    asio::read(stream_, asio::dynamic_buffer(text), error_);
    return text;
  }
  /// True when the server ended the TLS session properly, so that nothing can have been cut off.
  [[nodiscard]] bool ended_cleanly() const { return error_ == asio::error::eof; }

 private:
  asio::io_context io_;
  asio::ssl::context context_;
  asio::ssl::stream<asio::ip::tcp::socket> stream_{io_, context_};
  boost::system::error_code error_;
};

}  // namespace

TEST_CASE("TLS 1.3 and 1.2 are served, older versions are not") {
  const Certificate certificate;
  const Server server(certificate.options());
  for (const auto& [version, name] : {std::pair{TLS1_3_VERSION, "TLSv1.3"}, std::pair{TLS1_2_VERSION, "TLSv1.2"}}) {
    TlsPeer peer(server, version);
    REQUIRE(peer.connected());
    CHECK(peer.version() == name);
    peer.send(get("/hello") + get("/hello", "Connection: close\r\n"));
    const auto all = peer.rest();
    CHECK(all.find("HTTP/1.1 200 OK") != all.rfind("HTTP/1.1 200 OK"));
    CHECK(peer.ended_cleanly());
  }
  CHECK_FALSE(TlsPeer(server, TLS1_1_VERSION).connected());
}

TEST_CASE("a TLS connection takes large bodies and gives large answers") {
  const Certificate certificate;
  const Server server(certificate.options());
  const std::string body(1'000'000, 'b');
  TlsPeer peer(server);
  peer.send(post("/large", body, "Connection: close\r\n"));
  const auto all = peer.rest();
  CHECK((all.size() > body.size() && all.ends_with(body)));
}

TEST_CASE("peers that do not speak TLS, or stop in the handshake, are closed and disturb nobody") {
  const Certificate certificate;
  auto options = certificate.options();
  options.header_time = std::chrono::seconds(1);
  const Server server(options);
  auto plain = server.connect();
  plain.send(get("/hello"));
  auto silent = server.connect();
  silent.send("\x16\x03\x01");
  TlsPeer healthy(server);
  healthy.send(get("/hello"));
  CHECK(healthy.until("world\"}").starts_with("HTTP/1.1 200 OK"));
  CHECK(plain.rest().find("HTTP/") == std::string::npos);
  CHECK(silent.rest().empty());
}

TEST_CASE("a stream over TLS ends, and its connection goes on") {
  const Certificate certificate;
  auto route = web::Route{web::Method::get, "/stream", {}, {"public"}, {}, {}};
  route.handler = [](web::Request& request) -> Task<web::Response> {
    if (!request.secure) throw std::logic_error("TLS is not seen");
    web::Response response{200, "text/plain", {}};
    response.stream = [](web::BodyWriter& writer) -> Task<> { co_await writer.write(std::string(100'000, 's')); };
    co_return response;
  };
  const Server server(certificate.options(), {route});
  TlsPeer peer(server);
  peer.send(get("/stream"));
  CHECK(peer.until("0\r\n\r\n").size() > 100'000);
  peer.send(get("/hello", "Connection: close\r\n"));
  CHECK(peer.rest().ends_with("world\"}"));
}
