#include <catch2/catch.hpp>

#include "server/oidc/oidc_login.hpp"
#include "server/oidc/oidc_routes.hpp"

using namespace cameleer;

TEST_CASE("a browser is sent to paths of this server alone") {
  for (const std::string path : {"/", "/agents", "/exchanges?env=default&q=a%20b", "/a//b", "/@x"}) {
    CAPTURE(path);
    CHECK(server::is_inside(path));
  }
  for (const std::string path : {"", "agents", "//evil.example", "/\\evil.example", "\\\\evil", "https://evil.example",
                                 "/\tevil", "/a\r\nSet-Cookie: x", "/a b", "/\xc3\xa4", "/a\\..\\b"}) {
    CAPTURE(path);
    CHECK_FALSE(server::is_inside(path));
  }
  CHECK_FALSE(server::is_inside("/" + std::string(2'048, 'a')));
  CHECK_FALSE(server::is_inside(std::string("/a\0b", 4)));
}

TEST_CASE("a claim is found by its whole name first, then by its path") {
  const std::string claims = R"({"name":"Ada","a.b":"whole","a":{"b":"path","c":{"d":"deep"}},"n":7,"o":{}})";
  CHECK(server::text_claim(claims, "name") == "Ada");
  CHECK(server::text_claim(claims, "a.b") == "whole");
  CHECK(server::text_claim(claims, "a.c.d") == "deep");
  for (const auto* path : {"", ".", "a.", "a.x", "n", "n.x", "o", "name.x", "a..b"})
    CHECK(server::text_claim(claims, path).empty());
  CHECK(server::text_claim("[]", "name").empty());
  CHECK(server::text_claim("{", "name").empty());
}

TEST_CASE("of two sets of claims the first wins") {
  CHECK(server::merged_claims(R"({"a":1})", R"({"b":2})") == R"({"b":2,"a":1})");
  CHECK(server::merged_claims(R"({"a":1})", R"({"a":2})") == R"({"a":1})");
  CHECK(server::merged_claims("nonsense", R"({"a":2})") == R"({"a":2})");
}

TEST_CASE("what is for somebody else is told apart from what is no token for us at all") {
  using enum identity::TokenRejection;
  CHECK(server::refusal_of(foreign_tenant).code == ErrorCode::wrong_tenant);
  CHECK(server::refusal_of(foreign_audience).code == ErrorCode::wrong_tenant);
  for (const auto rejection : {bad_signature, expired, foreign_issuer, id_token, unknown_key}) {
    CHECK(server::refusal_of(rejection).code == ErrorCode::invalid_token);
  }
  CHECK(server::refusal_reasons().size() == 19);
}

TEST_CASE("each state has a cookie of its own, so that two tabs do not disturb each other") {
  CHECK(server::OidcLogin::cookie_of("a") != server::OidcLogin::cookie_of("b"));
  CHECK(server::OidcLogin::cookie_of("a").starts_with("cameleer_oidc_"));
}
