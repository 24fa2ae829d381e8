#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cameleer/web/client.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "scripted_peer.hpp"

using namespace cameleer;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using async::Executor;
using async::Task;
using scripted::Connection;
using scripted::Journal;
using scripted::Server;

namespace {

/// Runs a coroutine to its end; what it throws, assertions included, is thrown here. `body` outlives the coroutine.
template <class Body>
void run(Body body) {
  asio::io_context context;
  std::exception_ptr thrown;
  bool done = false;
  asio::co_spawn(context.get_executor(), body(context.get_executor()), [&](std::exception_ptr error) {
    thrown = error;
    done = true;
  });
  context.run_for(60s);
  if (thrown) std::rethrow_exception(thrown);
  REQUIRE(done);
}

web::Client client_of(Executor executor, const std::string& url, web::ClientOptions options = {}) {
  return web::Client(executor, web::Endpoint::parse(url).value(), std::move(options));
}

web::ClientRequest get(std::string target, std::chrono::milliseconds deadline = 20s) {
  web::ClientRequest request;
  request.target = std::move(target);
  request.deadline = deadline;
  return request;
}

web::ClientRequest post(std::string body) {
  web::ClientRequest request;
  request.method = web::Method::post;
  request.body = std::move(body);
  return request;
}

std::string with_length(std::string_view body) {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

/// Answers every request with the same bytes, then closes when `close` says so.
Server::Script answering(std::string bytes, bool close) {
  return [bytes = std::move(bytes), close](Connection& connection) {
    while (connection.request()) {
      connection.send(bytes);
      if (close) return;
    }
  };
}

struct TemporaryDirectory {
  TemporaryDirectory() {
    char pattern[] = "/tmp/cameleer-client-XXXXXX";
    path = ::mkdtemp(pattern);
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path); }
  std::string path;
};

}  // namespace

TEST_CASE("a client reads every framing of an answer") {
  struct Case {
    const char* name;
    web::Method method;
    std::string bytes;
    bool close;
    int status;
    std::string body;
  };
  const std::string big(300'000, 'x');
  const Case cases[] = {
      {"by length", web::Method::get, with_length("hello"), false, 200, "hello"},
      {"without body", web::Method::get, "HTTP/1.1 204 No Content\r\n\r\n", false, 204, ""},
      {"chunked", web::Method::get,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n",
       false, 200, "abcde"},
      {"by the end", web::Method::get, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end", true, 200,
       "until the end"},
      {"HTTP/1.0 by the end", web::Method::get, "HTTP/1.0 404 Not Found\r\n\r\nnothing", true, 404, "nothing"},
      {"to HEAD", web::Method::head, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", false, 200, ""},
      {"after an interim answer", web::Method::get, "HTTP/1.1 100 Continue\r\n\r\n" + with_length("later"), false, 200,
       "later"},
      {"large", web::Method::get, with_length(big), false, 200, big},
  };
  for (const auto& one : cases) {
    CAPTURE(one.name);
    Server server(answering(one.bytes, one.close));
    run([&](Executor executor) -> Task<> {
      auto client = client_of(executor, server.url());
      for (int round = 0; round < 2; ++round) {
        auto request = get("/x");
        request.method = one.method;
        const auto response = co_await client.send(std::move(request));
        REQUIRE(response.has_value());
        CHECK(response->status == one.status);
        CHECK(response->body == one.body);
      }
    });
    CHECK(server.accepted() == (one.close ? 2 : 1));
  }
}

TEST_CASE("an empty chunked answer may come in pieces") {
  Server server([](Connection& connection) {
    if (!connection.request()) return;
    for (const auto* piece : {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\n", "\r", "\n"}) {
      connection.send(piece);
      // So that the pieces do not travel as one; the outcome must be the same if they do.
      std::this_thread::sleep_for(30ms);
    }
  });
  run([&](Executor executor) -> Task<> {
    auto client = client_of(executor, server.url());
    const auto answer = co_await client.send(get("/"));
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
    CHECK(answer->body.empty());
  });
}

TEST_CASE("a client says what it was asked to say, once framed") {
  Journal seen;
  Server server([&](Connection& connection) {
    while (auto request = connection.request()) {
      seen.add(*request);
      connection.send(with_length(""));
    }
  });
  run([&](Executor executor) -> Task<> {
    auto client = client_of(executor, server.url());
    auto request = post("two\nlines");
    request.target = "/a?b=c";
    request.headers.push_back({"X-One", "1"});
    REQUIRE((co_await client.send(std::move(request))).has_value());
    REQUIRE((co_await client.send(post(""))).has_value());
  });
  const auto requests = seen.entries();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0] == fmt::format("POST /a?b=c HTTP/1.1\r\nX-One: 1\r\nHost: 127.0.0.1:{}\r\n"
                                   "Content-Length: 9\r\n\r\ntwo\nlines",
                                   server.port()));
  CHECK(requests[1].find("Content-Length: 0\r\n") != std::string::npos);
}

TEST_CASE("a request cannot smuggle lines or framing") {
  run([&](Executor executor) -> Task<> {
    auto client = client_of(executor, "http://127.0.0.1:1");
    std::vector<web::ClientRequest> bad(6);
    bad[0].target = "/a b";
    bad[1].target = "/a\r\nX: y";
    bad[2].headers = {{"X", "a\r\nY: b"}};
    bad[3].headers = {{"X y", "a"}};
    bad[4].headers = {{"content-length", "5"}};
    bad[5].headers = {{"Transfer-Encoding", "chunked"}};
    for (auto& request : bad) {
      const auto response = co_await client.send(std::move(request));
      REQUIRE_FALSE(response.has_value());
      CHECK(response.error().code == ErrorCode::malformed_request);
    }
  });
}

TEST_CASE("every wrong answer is an error of its kind") {
  struct Case {
    const char* name;
    std::string bytes;
    ErrorCode code;
  };
  const Case cases[] = {
      {"no answer", "", ErrorCode::unavailable},
      {"garbage", "\x16\x03\x01 not HTTP at all\r\n\r\n", ErrorCode::upstream_error},
      {"half a status line", "HTTP/1.1 20", ErrorCode::upstream_error},
      {"half a header", "HTTP/1.1 200 OK\r\nContent-Le", ErrorCode::upstream_error},
      {"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", ErrorCode::upstream_error},
      {"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", ErrorCode::upstream_error},
      {"wrong chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n",
       ErrorCode::upstream_error},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", ErrorCode::upstream_error},
      {"endless header", "HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'a'), ErrorCode::upstream_error},
      {"endless chunk extension", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;" + std::string(400'000, 'a'),
       ErrorCode::upstream_error},
      {"another protocol", "HTTP/1.1 101 Switching Protocols\r\n\r\n", ErrorCode::upstream_error},
      {"too large", with_length(std::string(70'000, 'a')), ErrorCode::upstream_error},
      {"too large, in chunks",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11170\r\n" + std::string(70'000, 'a') + "\r\n",
       ErrorCode::upstream_error},
  };
  for (const auto& one : cases) {
    CAPTURE(one.name);
    Server server(answering(one.bytes, true));
    run([&](Executor executor) -> Task<> {
      web::ClientOptions options;
      options.max_response_bytes = 65'536;
      auto client = client_of(executor, server.url(), options);
      const auto response = co_await client.send(get("/"));
      REQUIRE_FALSE(response.has_value());
      CHECK(name_of(response.error().code) == name_of(one.code));
    });
  }
}

TEST_CASE("an answer that never comes ends with the deadline, wherever it stops") {
  for (const std::string bytes : {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234"}) {
    CAPTURE(bytes);
    Journal seen;
    Server server([&](Connection& connection) {
      connection.request();
      connection.send(bytes);
      seen.add(connection.closed_by_client() ? "closed" : "left open");
    });
    run([&](Executor executor) -> Task<> {
      auto client = client_of(executor, server.url());
      const auto response = co_await client.send(get("/", 100ms));
      REQUIRE_FALSE(response.has_value());
      CHECK(response.error().code == ErrorCode::upstream_timeout);
    });
    REQUIRE(seen.wait_for(1));
    CHECK(seen.entries()[0] == "closed");
  }
}

TEST_CASE("a peer that takes nothing ends with the deadline") {
  Journal seen;
  Server server([&](Connection&) { seen.wait_for(1); });
  run([&](Executor executor) -> Task<> {
    auto client = client_of(executor, server.url());
    auto request = post(std::string(32u << 20, 'x'));
    request.deadline = 200ms;
    const auto response = co_await client.send(std::move(request));
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().code == ErrorCode::upstream_timeout);
  });
  seen.add("over");
}

TEST_CASE("nobody there and no such name are unavailable") {
  for (const char* url : {"http://127.0.0.1:1", "http://no-such-name.invalid:80", "unix:/nonexistent/socket"}) {
    CAPTURE(url);
    run([&](Executor executor) -> Task<> {
      auto client = client_of(executor, url);
      const auto response = co_await client.send(get("/"));
      REQUIRE_FALSE(response.has_value());
      CHECK(response.error().code == ErrorCode::unavailable);
    });
  }
}

TEST_CASE("a kept connection that was closed in between is replaced unnoticed") {
  Journal closed;
  Server server([&](Connection& connection) {
    connection.request();
    connection.send(with_length("once"));
    closed.add("closing");
  });
  run([&](Executor executor) -> Task<> {
    auto client = client_of(executor, server.url());
    REQUIRE((co_await client.send(post("1"))).has_value());
    REQUIRE(closed.wait_for(1));
    co_await async::sleep_for(executor, 50ms);  // until the kernel has delivered the end; the retry covers the rest
    auto second = post("2");
    second.idempotent = true;
    REQUIRE((co_await client.send(std::move(second))).has_value());
  });
  CHECK(server.accepted() == 2);
}

TEST_CASE("a kept connection that dies on a request is retried only when that is safe") {
  for (const bool idempotent : {true, false}) {
    CAPTURE(idempotent);
    Journal seen;
    Server server([&](Connection& connection) {
      for (int round = 1; connection.request(); ++round) {
        seen.add(fmt::format("{}/{}", connection.number(), round));
        if (connection.number() == 1 && round == 2) return;
        connection.send(with_length("x"));
      }
    });
    run([&](Executor executor) -> Task<> {
      auto client = client_of(executor, server.url());
      REQUIRE((co_await client.send(post("1"))).has_value());
      auto second = post("2");
      second.idempotent = idempotent;
      const auto response = co_await client.send(std::move(second));
      CHECK(response.has_value() == idempotent);
      if (!idempotent) {
        CHECK(response.error().code == ErrorCode::unavailable);
      }
      REQUIRE((co_await client.send(post("3"))).has_value());
    });
    const std::vector<std::string> retried{"1/1", "1/2", "2/1", "2/2"};
    const std::vector<std::string> refused{"1/1", "1/2", "2/1"};
    CHECK(seen.entries() == (idempotent ? retried : refused));
  }
}

TEST_CASE("a retry is not retried") {
  Server server([&](Connection& connection) {
    connection.request();
    if (connection.number() > 1) return;
    connection.send(with_length("x"));
    connection.request();
  });
  run([&](Executor executor) -> Task<> {
    auto client = client_of(executor, server.url());
    auto request = get("/");
    request.idempotent = true;
    REQUIRE((co_await client.send(request)).has_value());
    const auto response = co_await client.send(request);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().code == ErrorCode::unavailable);
  });
  CHECK(server.accepted() == 2);
}

TEST_CASE("bytes after an answer end the connection's use") {
  Server server(answering(with_length("x") + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", false));
  run([&](Executor executor) -> Task<> {
    auto client = client_of(executor, server.url());
    for (int round = 0; round < 3; ++round) {
      auto request = get("/");
      request.idempotent = true;
      const auto response = co_await client.send(std::move(request));
      REQUIRE(response.has_value());
      CHECK(response->body == "x");
    }
  });
  CHECK(server.accepted() == 3);
}

TEST_CASE("the pool is bounded and serves in order") {
  Journal seen;
  Journal go;
  Server server([&](Connection& connection) {
    while (auto request = connection.request()) {
      seen.add(request->substr(0, request->find(" HTTP")));
      go.wait_for(1);
      connection.send(with_length(""));
    }
  });
  int answered = 0;
  run([&](Executor executor) -> Task<> {
    web::ClientOptions options;
    options.max_connections = 1;
    auto client = client_of(executor, server.url(), options);
    async::SteadyTimer all(executor, 30s);
    for (int i = 0; i < 4; ++i) {
      asio::co_spawn(executor, client.send(get(fmt::format("/{}", i))),
                     [&](std::exception_ptr, const Expected<web::ClientResponse>& response) {
                       if (response && ++answered == 4) all.cancel();
                     });
    }
    // The fifth does not want to wait that long; it leaves the queue and nothing else changes.
    const auto impatient = co_await client.send(get("/impatient", 100ms));
    REQUIRE_FALSE(impatient.has_value());
    CHECK(impatient.error().code == ErrorCode::upstream_timeout);
    go.add("go");
    co_await all.async_wait(async::as_result);
  });
  CHECK(answered == 4);
  CHECK(seen.entries() == std::vector<std::string>{"GET /0", "GET /1", "GET /2", "GET /3"});
  CHECK(server.accepted() == 1);
}

TEST_CASE("a cancelled request gives its place back") {
  Journal seen;
  Server server([&](Connection& connection) {
    connection.request();
    if (connection.number() == 1) {
      seen.add("first");
      connection.closed_by_client();
    } else {
      connection.send(with_length("second"));
    }
  });
  run([&](Executor executor) -> Task<> {
    web::ClientOptions options;
    options.max_connections = 1;
    auto client = client_of(executor, server.url(), options);
    asio::cancellation_signal stop_running;
    asio::cancellation_signal stop_waiting;
    int ended = 0;
    const auto count = [&](std::exception_ptr, const Expected<web::ClientResponse>&) { ++ended; };
    asio::co_spawn(executor, client.send(get("/running")), asio::bind_cancellation_slot(stop_running.slot(), count));
    asio::co_spawn(executor, client.send(get("/waiting")), asio::bind_cancellation_slot(stop_waiting.slot(), count));
    while (seen.entries().empty()) co_await async::sleep_for(executor, 1ms);
    stop_waiting.emit(asio::cancellation_type::terminal);
    stop_running.emit(asio::cancellation_type::terminal);
    const auto response = co_await client.send(get("/second"));
    REQUIRE(response.has_value());
    CHECK(response->body == "second");
    CHECK(ended == 2);
  });
}

TEST_CASE("a client may go while its requests are under way") {
  Journal go;
  Server server([&](Connection& connection) {
    connection.request();
    go.wait_for(1);
    connection.send(with_length("late"));
  });
  std::vector<std::string> bodies;
  run([&](Executor executor) -> Task<> {
    {
      web::ClientOptions options;
      options.max_connections = 1;
      auto client = client_of(executor, server.url(), options);
      for (int i = 0; i < 2; ++i) {
        asio::co_spawn(executor, client.send(get("/")),
                       [&](std::exception_ptr, const Expected<web::ClientResponse>& response) {
                         bodies.push_back(response ? response->body : "error");
                       });
      }
      co_await async::sleep_for(executor, 1ms);
    }
    go.add("go");
  });
  CHECK(bodies == std::vector<std::string>{"late", "late"});
}

TEST_CASE("an unused connection is closed after the idle time") {
  Journal seen;
  Server server([&](Connection& connection) {
    connection.request();
    connection.send(with_length("x"));
    seen.add(connection.closed_by_client() ? "closed" : "left open");
  });
  run([&](Executor executor) -> Task<> {
    web::ClientOptions options;
    options.idle_time = 0s;
    auto client = client_of(executor, server.url(), options);
    REQUIRE((co_await client.send(get("/"))).has_value());
    for (int i = 0; i < 5'000 && seen.entries().empty(); ++i) co_await async::sleep_for(executor, 1ms);
    CHECK(seen.entries() == std::vector<std::string>{"closed"});
  });
}

TEST_CASE("a stream hands on pieces as they come, and its connection is used again after the end") {
  Journal received;
  Server server([&](Connection& connection) {
    for (int round = 1; connection.request(); ++round) {
      connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (std::size_t i = 0; i < 3; ++i) {
        connection.send("4\r\nabc\n\r\n");
        received.wait_for(3 * static_cast<std::size_t>(round - 1) + i + 1);
      }
      connection.send("0\r\n\r\n");
    }
  });
  run([&](Executor executor) -> Task<> {
    auto client = client_of(executor, server.url());
    for (int round = 0; round < 2; ++round) {
      auto stream = co_await client.open(get("/"));
      REQUIRE(stream.has_value());
      CHECK((*stream)->head().status == 200);
      CHECK((*stream)->head().header("transfer-encoding") == "chunked");
      for (int i = 0; i < 3; ++i) {
        const auto piece = co_await (*stream)->next(10s);
        REQUIRE(piece.has_value());
        CHECK(*piece == "abc\n");
        received.add("piece");
      }
      CHECK((co_await (*stream)->next(10s)).value().empty());
      CHECK((co_await (*stream)->next(10s)).value().empty());
    }
  });
  CHECK(server.accepted() == 1);
}

TEST_CASE("a stream that is cut, late or dropped ends its connection") {
  Journal seen;
  Server server([&](Connection& connection) {
    const auto request = connection.request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
    if (request->starts_with("GET /cut")) return;
    seen.add(connection.closed_by_client() ? "closed" : "left open");
  });
  run([&](Executor executor) -> Task<> {
    auto client = client_of(executor, server.url());
    for (const char* target : {"/cut", "/late", "/dropped"}) {
      CAPTURE(target);
      auto stream = co_await client.open(get(target));
      REQUIRE(stream.has_value());
      CHECK((co_await (*stream)->next(10s)).value() == "12345");
      if (target == std::string_view("/dropped")) continue;
      const bool cut = target == std::string_view("/cut");
      for (int i = 0; i < 2; ++i) {
        const auto rest = co_await (*stream)->next(cut ? 10s : 100ms);
        REQUIRE_FALSE(rest.has_value());
        CHECK(name_of(rest.error().code) == name_of(cut ? ErrorCode::upstream_error : ErrorCode::upstream_timeout));
      }
    }
  });
  REQUIRE(seen.wait_for(2));
  CHECK(seen.entries() == std::vector<std::string>{"closed", "closed"});
}

TEST_CASE("a unix socket is an endpoint like another") {
  const TemporaryDirectory directory;
  const auto path = directory.path + "/socket";
  Server server(answering(with_length("unix"), false), path);
  run([&](Executor executor) -> Task<> {
    auto client = client_of(executor, "unix:" + path);
    CHECK((co_await client.send(get("/"))).value().body == "unix");
    CHECK((co_await client.send(get("/"))).value().body == "unix");
  });
  CHECK(server.accepted() == 1);
}

TEST_CASE("TLS names the host it wants and accepts nobody else") {
  const TemporaryDirectory directory;
  const auto right = scripted::make_certificate(directory.path, "localhost");
  const auto wrong = scripted::make_certificate(directory.path, "elsewhere.test");
  struct Case {
    const char* name;
    const scripted::TlsFiles& served;
    std::string ca_file;
    const char* host;
    std::optional<ErrorCode> code;
  };
  const Case cases[] = {
      {"right", right, right.certificate, "localhost", {}},
      {"a certificate of another host", wrong, wrong.certificate, "localhost", ErrorCode::unavailable},
      {"an address that the certificate does not name", right, right.certificate, "127.0.0.1", ErrorCode::unavailable},
      {"an authority that is not known", right, wrong.certificate, "localhost", ErrorCode::unavailable},
      {"the system does not know it", right, "", "localhost", ErrorCode::unavailable},
      {"no such file", right, "/nonexistent.crt", "localhost", ErrorCode::bad_configuration},
  };
  for (const auto& one : cases) {
    CAPTURE(one.name);
    Server server(answering(with_length("secret"), false), {}, one.served);
    run([&](Executor executor) -> Task<> {
      web::ClientOptions options;
      options.tls_ca_file = one.ca_file;
      auto client = client_of(executor, fmt::format("https://{}:{}", one.host, server.port()), options);
      for (int round = 0; round < 2; ++round) {
        const auto response = co_await client.send(get("/"));
        REQUIRE(response.has_value() == !one.code);
        if (response) {
          CHECK(response->body == "secret");
        } else {
          CHECK(name_of(response.error().code) == name_of(*one.code));
        }
      }
    });
    if (!one.code) {
      CHECK(server.accepted() == 1);
      CHECK(server.last_server_name() == "localhost");
    }
  }
}

TEST_CASE("large bodies go both ways over TLS") {
  const TemporaryDirectory directory;
  const auto files = scripted::make_certificate(directory.path, "localhost");
  const auto echo = [](Connection& connection) {
    while (const auto request = connection.request()) {
      connection.send(with_length(request->substr(request->find("\r\n\r\n") + 4)));
    }
  };
  Server server(echo, {}, files);
  run([&](Executor executor) -> Task<> {
    web::ClientOptions options;
    options.tls_ca_file = files.certificate;
    auto client = client_of(executor, fmt::format("https://localhost:{}", server.port()), options);
    for (const std::size_t size : {0, 1, 20'000, 2'000'000}) {
      const std::string body(size, 'b');
      CHECK((co_await client.send(post(body))).value().body == body);
    }
  });
  CHECK(server.accepted() == 1);
}

TEST_CASE("an answer without length over TLS ends with the peer's word only") {
  const TemporaryDirectory directory;
  const auto files = scripted::make_certificate(directory.path, "localhost");
  for (const bool said : {true, false}) {
    const auto script = [said](Connection& connection) {
      connection.request();
      connection.send("HTTP/1.1 200 OK\r\n\r\nall of it");
      if (!said) connection.cut();
    };
    Server server(script, {}, files);
    run([&](Executor executor) -> Task<> {
      web::ClientOptions options;
      options.tls_ca_file = files.certificate;
      auto client = client_of(executor, fmt::format("https://localhost:{}", server.port()), options);
      const auto response = co_await client.send(get("/"));
      CHECK(response.has_value() == said);
    });
  }
}

TEST_CASE("a handshake that never ends is bounded by the connect time") {
  Journal over;
  Server server([&](Connection&) { over.wait_for(1); });
  run([&](Executor executor) -> Task<> {
    web::ClientOptions options;
    options.connect_time = 100ms;
    auto client = client_of(executor, fmt::format("https://127.0.0.1:{}", server.port()), options);
    const auto response = co_await client.send(get("/"));
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().code == ErrorCode::upstream_timeout);
  });
  over.add("over");
}

TEST_CASE("an endpoint is a URL without a path, or a socket") {
  using Kind = web::Endpoint::Kind;
  struct Case {
    const char* url;
    Kind kind;
    const char* host;
    std::uint16_t port;
  };
  for (const auto& one :
       {Case{"http://a", Kind::tcp, "a", 80}, Case{"https://a.b/", Kind::tls, "a.b", 443},
        Case{"http://127.0.0.1:8123", Kind::tcp, "127.0.0.1", 8123}, Case{"http://[::1]:8123", Kind::tcp, "::1", 8123},
        Case{"unix:/run/docker.sock", Kind::unix_socket, "/run/docker.sock", 0},
        Case{"unix:///run/docker.sock", Kind::unix_socket, "/run/docker.sock", 0}}) {
    CAPTURE(one.url);
    const auto endpoint = web::Endpoint::parse(one.url);
    REQUIRE(endpoint.has_value());
    CHECK(endpoint->kind == one.kind);
    CHECK(endpoint->host == one.host);
    CHECK(endpoint->port == one.port);
  }
  for (const char* url : {"", "a:80", "ftp://a", "http://", "http://a/path", "http://a?q", "http://u@a", "http://a:0",
                          "http://a:65536", "http://a b", "unix:relative", "unix:"}) {
    CAPTURE(url);
    CHECK_FALSE(web::Endpoint::parse(url).has_value());
  }
}

TEST_CASE("percent encoding leaves only unreserved characters") {
  using namespace std::string_view_literals;
  CHECK(web::percent_encode("AZaz09-._~") == "AZaz09-._~");
  CHECK(web::percent_encode("a b/\\&=?#%+\t\n\0\xff"sv) == "a%20b%2F%5C%26%3D%3F%23%25%2B%09%0A%00%FF");
}
