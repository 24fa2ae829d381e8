#include <fmt/format.h>

#include <cameleer/identity/jwt.hpp>
#include <cameleer/identity/provider_token.hpp>
#include <catch2/catch.hpp>

#include "provider_keys.hpp"

using namespace cameleer;
using namespace cameleer::identity;
using namespace std::chrono_literals;

namespace {

const Instant kNow = instant_of(1'800'000'000'000);
const Keys kKeys(MasterKey::from_bytes(std::string(32, 'a')));
const Expectations kExpected{.issuer = "us", .audiences = {"api"}};

std::string own_token(const std::string& subject, const Keys& keys = kKeys) {
  return issue(keys, {.issuer = "us",
                      .audience = "api",
                      .subject = subject,
                      .token_id = {},
                      .family = {},
                      .application = {},
                      .environment = {},
                      .key_ref = {},
                      .roles = {},
                      .issued_at = kNow,
                      .expires_at = kNow + 30min});
}

ProviderExpectations provider_expected(std::string audience = "api") {
  return {.issuer = "https://login.example", .audience = std::move(audience), .required_claims = {}, .nonce = {}};
}

}  // namespace

TEST_CASE("a signature is computed once, and again after an hour") {
  SignatureCache cache;
  int computed = 0;
  const auto holds = [&](Instant now) {
    return cache.holds("token", now, [&] {
      ++computed;
      return true;
    });
  };
  CHECK(holds(kNow));
  CHECK(holds(kNow + 1h - 1ms));
  CHECK(computed == 1);
  CHECK(cache.hits() == 1);
  CHECK(holds(kNow + 1h));
  CHECK(computed == 2);
  cache.clear();
  CHECK(holds(kNow + 1h));
  CHECK(computed == 3);
}

TEST_CASE("a flood of wrong signatures leaves no trace, and one of good ones is bounded") {
  SignatureCache cache(100);
  const auto good = [] { return true; };
  const auto never = []() -> bool { throw std::logic_error("it was known"); };
  CHECK(cache.holds("mine", kNow, good));
  for (int i = 0; i < 10'000; ++i) CHECK_FALSE(cache.holds(fmt::format("bad {}", i), kNow, [] { return false; }));
  CHECK(cache.size() == 1);
  CHECK(cache.holds("mine", kNow, never));
  for (int i = 0; i < 99; ++i) CHECK(cache.holds(fmt::format("good {}", i), kNow, good));
  // Used last, so it is the last to go.
  CHECK(cache.holds("mine", kNow, never));
  for (int i = 100; i < 199; ++i) CHECK(cache.holds(fmt::format("good {}", i), kNow, good));
  CHECK(cache.holds("mine", kNow, never));
  CHECK(cache.size() == 100);
  CHECK_FALSE(cache.holds("good 0", kNow, [] { return false; }));
}

TEST_CASE("of our own token only the signature is remembered") {
  SignatureCache cache;
  const auto token = own_token("u");
  REQUIRE(verify(kKeys, token, kExpected, kNow, &cache));
  CHECK(cache.hits() == 0);
  REQUIRE(verify(kKeys, token, kExpected, kNow + 1min, &cache));
  CHECK(cache.hits() == 1);
  CHECK(verify(kKeys, token, kExpected, kNow + 30min, &cache).error() == TokenRejection::expired);
  CHECK(verify(kKeys, token, kExpected, kNow - 2min, &cache).error() == TokenRejection::not_yet_valid);
  CHECK(verify(kKeys, token, {.issuer = "them", .audiences = {"api"}}, kNow, &cache).error() ==
        TokenRejection::foreign_issuer);
  CHECK(verify(kKeys, token, {.issuer = "us", .audiences = {"agent"}}, kNow, &cache).error() ==
        TokenRejection::foreign_audience);
  // The same text with another signature is another token.
  auto forged = token;
  forged[forged.rfind('.') + 1] = forged[forged.rfind('.') + 1] == 'A' ? 'B' : 'A';
  CHECK(verify(kKeys, forged, kExpected, kNow, &cache).error() == TokenRejection::bad_signature);
  CHECK(cache.size() == 1);
  // Of a root that is gone even a remembered one is refused.
  const Keys rotated(MasterKey::from_bytes(std::string(32, 'b')));
  CHECK(verify(rotated, token, kExpected, kNow, &cache).error() == TokenRejection::unknown_key);
}

TEST_CASE("of a provider's token only the signature is remembered") {
  SignatureCache cache;
  const ProviderKey key("ES384", "k");
  const auto keys = JwkSet::parse(jwk_set({key.jwk()})).value();
  const auto payload = R"({"iss":"https://login.example","sub":"u","aud":"api","iat":1799999990,"exp":1800000600})";
  const auto token = key.token(payload);
  REQUIRE(verify_provider_token(keys, token, provider_expected(), kNow, &cache));
  REQUIRE(verify_provider_token(keys, token, provider_expected(), kNow, &cache));
  CHECK(cache.hits() == 1);
  CHECK(verify_provider_token(keys, token, provider_expected("other"), kNow, &cache).error() ==
        TokenRejection::foreign_audience);
  CHECK(verify_provider_token(keys, token, provider_expected(), kNow + 11min, &cache).error() ==
        TokenRejection::expired);
  auto tenant = provider_expected();
  tenant.required_claims = {{"organization_id", "org"}};
  CHECK(verify_provider_token(keys, token, tenant, kNow, &cache).error() == TokenRejection::foreign_tenant);
  const auto typed = key.token(payload, R"(,"typ":"logout+jwt")");
  CHECK(verify_provider_token(keys, typed, provider_expected(), kNow, &cache).error() == TokenRejection::bad_type);
  const ProviderKey stranger("ES384", "k");
  CHECK(verify_provider_token(keys, stranger.token(payload), provider_expected(), kNow, &cache).error() ==
        TokenRejection::bad_signature);
  CHECK(cache.size() == 1);
}
