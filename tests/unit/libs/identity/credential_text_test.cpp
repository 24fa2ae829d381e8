#include <cameleer/identity/credential_text.hpp>
#include <catch2/catch.hpp>

using cameleer::identity::without_credentials;

TEST_CASE("a key or a token in a path is not shown, everything else is") {
  const std::string key = "cmk_" + std::string(43, 'A');
  const auto [path, shown] = GENERATE_COPY(table<std::string, std::string>({
      {"", ""},
      {"/", "/"},
      {"/api/v1/agents/a-1/commands", "/api/v1/agents/a-1/commands"},
      {"/api-keys/" + key, "/api-keys/***"},
      {key, "***"},
      {"/x/" + key + "/", "/x/***/"},
      {"/x/eyJhbGciOiJIUzI1NiJ9.e30.c2ln/y", "/x/***/y"},
      {"/apps/cmk_short/eyJelly", "/apps/cmk_short/eyJelly"},
      {"/users/1b4e28ba-2fa1-11d2-883f-0016d3cca427", "/users/1b4e28ba-2fa1-11d2-883f-0016d3cca427"},
  }));
  CHECK(without_credentials(path) == shown);
}
