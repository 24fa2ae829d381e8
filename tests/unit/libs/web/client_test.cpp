#include "client_on_loop.hpp"

using namespace cameleer;
using namespace scripted;

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

TEST_CASE("a unix socket is an endpoint like another") {
  const TemporaryFolder folder;
  const auto path = (folder.path / "socket").string();
  Server server(answering(with_length("unix"), false), path);
  run([&](Executor executor) -> Task<> {
    auto client = client_of(executor, "unix:" + path);
    CHECK((co_await client.send(get("/"))).value().body == "unix");
    CHECK((co_await client.send(get("/"))).value().body == "unix");
  });
  CHECK(server.accepted() == 1);
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
