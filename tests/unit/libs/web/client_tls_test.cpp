#include "client_on_loop.hpp"

using namespace cameleer;
using namespace scripted;

TEST_CASE("TLS names the host it wants and accepts nobody else") {
  const TemporaryFolder folder;
  const auto right = make_certificate(folder.path, "localhost");
  const auto wrong = make_certificate(folder.path, "elsewhere.test");
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
  const TemporaryFolder folder;
  const auto files = make_certificate(folder.path, "localhost");
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
  const TemporaryFolder folder;
  const auto files = make_certificate(folder.path, "localhost");
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
