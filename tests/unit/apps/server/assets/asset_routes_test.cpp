#include "server/assets/asset_routes.hpp"

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;

namespace {

constexpr embedded::File kFiles[] = {
    {"assets/app-1a2b.js", "import './x'"},
    {"index.html", "<script src=\"/__cameleer_base__/assets/app-1a2b.js\"></script>"},
};

async::Task<> call(const web::Route& route, web::Request& request, web::Response& response) {
  response = co_await route.handler(request);
}

web::Response get(const std::string& path, const std::string& base = "/") {
  web::Router router;
  server::add_asset_routes(router, kFiles, base);
  REQUIRE(router.seal().has_value());
  const auto match = router.find(web::Method::get, path);
  REQUIRE(match.route != nullptr);
  boost::asio::io_context io;
  web::Request request;
  request.path = path;
  web::Response response;
  boost::asio::co_spawn(io, call(*match.route, request, response), boost::asio::detached);
  io.run();
  return response;
}

std::string header(const web::Response& response, const std::string& name) {
  for (const auto& one : response.headers) {
    if (one.name == name) return one.value;
  }
  return {};
}

}  // namespace

TEST_CASE("hashed files are cached for ever, under their type") {
  const auto response = get("/assets/app-1a2b.js");
  CHECK(response.status == 200);
  CHECK(response.content_type == "text/javascript; charset=utf-8");
  CHECK(header(response, "Cache-Control") == "public, max-age=31536000, immutable");
}

TEST_CASE("a page path gives the page for the base path, never cached, with a policy without exceptions") {
  const auto response = get("/exchanges/4711", "/cameleer/");
  CHECK(response.status == 200);
  CHECK(response.body == "<script src=\"/cameleer/assets/app-1a2b.js\"></script>");
  CHECK(header(response, "Cache-Control") == "no-cache");
  CHECK(header(response, "Content-Security-Policy").find("unsafe") == std::string::npos);
  CHECK(header(response, "Content-Security-Policy").find("default-src 'none'") == 0);
}

TEST_CASE("a file that does not exist and a path of the API are problems, not the page") {
  const auto path = GENERATE("/assets/gone-9.js", "/api/v1/nothing", "/api", "/health/x", "/metrics/x");
  const auto response = get(path);
  CHECK(response.status == 404);
  CHECK(response.content_type == "application/problem+json");
}
