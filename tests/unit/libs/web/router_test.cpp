#include <cameleer/web/router.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::web;

namespace {

async::Task<Response> nothing(Request&) {
  co_return Response::empty(204);
}

Route route(Method method, std::string pattern, std::string_view access = "public", std::string operation = {}) {
  return {method, std::move(pattern), std::move(operation), {access}, {}, nothing};
}

std::string sealing(std::vector<Route> routes) {
  Router router;
  for (auto& each : routes) router.add(std::move(each));
  auto sealed = router.seal();
  return sealed ? "" : sealed.error().message;
}

}  // namespace

TEST_CASE("the router finds routes, literals before parameters, segments decoded after splitting") {
  Router router;
  for (const auto* pattern :
       {"/", "/a", "/a/{x}", "/a/b", "/a/{x}/c", "/a/b/d", "/a/{x}/{y}/e", "/files/{path...}", "/{ui...}"}) {
    router.add(route(Method::get, pattern));
  }
  router.add(route(Method::post, "/a/b"));
  router.add(route(Method::del, "/a/{x}"));
  REQUIRE(router.seal());

  using Pairs = std::vector<std::pair<std::string, std::string>>;
  struct Row {
    Method method;
    std::string path;
    std::string pattern;  ///< empty: none
    Pairs parameters;
    std::string allowed;
  };
  const Row rows[] = {
      {Method::get, "/", "/", {}, ""},
      {Method::get, "/a", "/a", {}, ""},
      {Method::head, "/a", "/a", {}, ""},
      {Method::get, "/a/b", "/a/b", {}, ""},
      {Method::get, "/%61/%62", "/a/b", {}, ""},
      {Method::get, "/a/z", "/a/{x}", {{"x", "z"}}, ""},
      {Method::get, "/a/b%2Fd", "/a/{x}", {{"x", "b/d"}}, ""},
      {Method::get, "/a/b/c", "/a/{x}/c", {{"x", "b"}}, ""},
      {Method::get, "/a/b/d", "/a/b/d", {}, ""},
      {Method::get, "/a/b/c/e", "/a/{x}/{y}/e", {{"x", "b"}, {"y", "c"}}, ""},
      {Method::get, "/a/", "/{ui...}", {{"ui", "a/"}}, ""},
      {Method::get, "/files/", "/files/{path...}", {{"path", ""}}, ""},
      {Method::get, "/files/x/y%20z", "/files/{path...}", {{"path", "x/y z"}}, ""},
      {Method::get, "/other/x", "/{ui...}", {{"ui", "other/x"}}, ""},
      {Method::put, "/a/b", "", {}, "GET, HEAD, POST, OPTIONS"},
      {Method::del, "/a/b", "", {}, "GET, HEAD, POST, OPTIONS"},
      {Method::del, "/a/z", "/a/{x}", {{"x", "z"}}, ""},
      {Method::post, "/nowhere", "", {}, "GET, HEAD, OPTIONS"},
      {Method::get, "", "", {}, ""},
  };
  for (const auto& row : rows) {
    INFO(name_of(row.method) << " " << row.path);
    const auto match = router.find(row.method, row.path);
    CHECK((match.route ? match.route->pattern : "") == row.pattern);
    CHECK(match.parameters == row.parameters);
    CHECK(match.allowed == row.allowed);
  }
}

TEST_CASE("a router with a wrong table does not seal and names the route") {
  struct Row {
    std::vector<Route> routes;
    std::string says;
  };
  Route no_handler = route(Method::get, "/a");
  no_handler.handler = nullptr;
  const Row rows[] = {
      {{route(Method::get, "/a", "")}, "GET /a: it does not say who may call it"},
      {{no_handler}, "GET /a: it has no handler"},
      {{route(Method::get, "/a"), route(Method::get, "/a")}, "collides"},
      {{route(Method::get, "/a/{x}"), route(Method::get, "/a/{y}")}, "collides with /a/{x}"},
      {{route(Method::get, "/{x...}"), route(Method::get, "/{y...}")}, "collides"},
      {{route(Method::get, "a")}, "start with a slash"},
      {{route(Method::get, "/a/")}, "empty segment"},
      {{route(Method::get, "//a")}, "empty segment"},
      {{route(Method::get, "/{}")}, "no name"},
      {{route(Method::get, "/{x}/{x}")}, "same name"},
      {{route(Method::get, "/{x...}/a")}, "must be last"},
      {{route(Method::get, "/a{x}")}, "well formed"},
      {{route(Method::get, "/a", "public", "op"), route(Method::get, "/b", "public", "op")}, "same operation id"},
  };
  for (const auto& row : rows) {
    INFO(row.says);
    CHECK(sealing(row.routes).find(row.says) != std::string::npos);
  }
  CHECK(sealing({route(Method::get, "/a"), route(Method::post, "/a"), route(Method::get, "/")}).empty());
}
