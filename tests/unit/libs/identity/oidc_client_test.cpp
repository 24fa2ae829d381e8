#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cameleer/identity/oidc_client.hpp>
#include <catch2/catch.hpp>
#include <map>

#include "provider_keys.hpp"

using namespace cameleer;
using namespace cameleer::identity;

namespace {

const std::string kIssuer = "https://login.example/oidc";

/// A provider in memory: what each address answers, and what was asked.
struct Provider {
  std::map<std::string, FetchAnswer> answers;
  std::vector<FetchRequest> asked;
  bool down = false;
  Instant now = instant_of(1'800'000'000'000);

  Provider() {
    answers[kIssuer + "/.well-known/openid-configuration"] = {
        200, fmt::format(R"({{"issuer":"{0}","authorization_endpoint":"{0}/auth","token_endpoint":"{0}/token",)"
                         R"("userinfo_endpoint":"{0}/me","jwks_uri":"{0}/jwks","end_session_endpoint":"{0}/end?x=1",)"
                         R"("code_challenge_methods_supported":["S256"]}})",
                         kIssuer)};
  }
  OidcClient client(OidcClientSettings settings = {}) {
    settings.issuer = kIssuer;
    settings.client_id = "page:1";
    settings.client_secret = "s3cret &";
    return {std::move(settings), [this](FetchRequest request) { return fetch(this, std::move(request)); },
            [this] { return now; }};
  }
  static async::Task<Expected<FetchAnswer>> fetch(Provider* self, FetchRequest request) {
    self->asked.push_back(request);
    if (self->down) co_return fail(ErrorCode::unavailable, "The provider cannot be reached.");
    const auto found = self->answers.find(request.url);
    if (found == self->answers.end()) co_return FetchAnswer{.status = 404, .body = {}};
    co_return found->second;
  }
  [[nodiscard]] std::size_t times_asked(std::string_view path) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(asked, [&](const auto& one) { return one.url == kIssuer + std::string(path); }));
  }
};

template <class T>
T finish(async::Task<T> task) {
  boost::asio::io_context io;
  std::optional<T> result;
  boost::asio::co_spawn(io.get_executor(), std::move(task), [&](std::exception_ptr error, T value) {
    if (error) std::rethrow_exception(error);
    result = std::move(value);
  });
  io.run();
  return std::move(*result);
}

std::string payload(std::string_view more = "") {
  return fmt::format(R"({{"iss":"{}","sub":"u","aud":"api","iat":1799999990,"exp":1800003600{}}})", kIssuer, more);
}
ProviderExpectations expected() {
  return {.issuer = kIssuer, .audience = "api", .required_claims = {}, .nonce = {}};
}

}  // namespace

TEST_CASE("keys are fetched once, again for a new key, and never more often than allowed") {
  Provider provider;
  const ProviderKey old_key("ES384", "old"), new_key("ES384", "new"), stranger("ES384", "invented");
  provider.answers[kIssuer + "/jwks"] = {200, jwk_set({old_key.jwk()})};
  auto client = provider.client();
  for (int i = 0; i < 3; ++i) CHECK(finish(client.verify(old_key.token(payload()), expected()))->has_value());
  CHECK(provider.times_asked("/jwks") == 1);

  // Rotated: the unknown id makes it look, once a minute.
  provider.answers[kIssuer + "/jwks"] = {200, jwk_set({old_key.jwk(), new_key.jwk()})};
  provider.now += std::chrono::seconds(61);
  CHECK(finish(client.verify(new_key.token(payload()), expected()))->has_value());
  CHECK(finish(client.verify(old_key.token(payload()), expected()))->has_value());
  CHECK(provider.times_asked("/jwks") == 2);
  for (int i = 0; i < 50; ++i) {
    const auto verified = finish(client.verify(stranger.token(payload()), expected()));
    REQUIRE(verified.has_value());
    CHECK(verified->error() == TokenRejection::unknown_key);
  }
  CHECK(provider.times_asked("/jwks") == 2);
  provider.now += std::chrono::seconds(61);
  (void)finish(client.verify(stranger.token(payload()), expected()));
  CHECK(provider.times_asked("/jwks") == 3);
}

TEST_CASE("signatures are remembered as long as the provider's keys stay the same, and no longer") {
  Provider provider;
  const ProviderKey old_key("ES384", "old"), new_key("ES384", "new");
  provider.answers[kIssuer + "/jwks"] = {200, jwk_set({old_key.jwk()})};
  auto client = provider.client();
  const auto token = old_key.token(payload().replace(payload().find("1800003600"), 10, "1800099999"));
  for (int i = 0; i < 3; ++i) CHECK(finish(client.verify(token, expected()))->has_value());
  CHECK(client.signatures().hits() == 2);

  // Asked again and found the same: nothing is forgotten.
  provider.now += std::chrono::minutes(59);
  CHECK(finish(client.verify(token, expected()))->has_value());
  provider.now += std::chrono::minutes(2);
  const auto second = old_key.token(payload().replace(payload().find("1800003600"), 10, "1800099998"));
  CHECK(finish(client.verify(second, expected()))->has_value());
  CHECK(provider.times_asked("/jwks") == 2);
  CHECK(finish(client.verify(second, expected()))->has_value());
  CHECK(client.signatures().hits() == 4);

  // Withdrawn: what it signed counts no more, remembered or not.
  provider.answers[kIssuer + "/jwks"] = {200, jwk_set({new_key.jwk()})};
  provider.now += std::chrono::hours(1);
  CHECK(finish(client.verify(second, expected()))->error() == TokenRejection::unknown_key);
  CHECK(client.signatures().size() == 0);
}

TEST_CASE("a provider that is down, or answers nonsense, changes nothing for those who were verified before") {
  Provider provider;
  const ProviderKey key("EdDSA", "k");
  auto client = provider.client();
  provider.down = true;
  CHECK(finish(client.verify(key.token(payload()), expected())).error().code == ErrorCode::unavailable);

  provider.down = false;
  provider.answers[kIssuer + "/jwks"] = {200, jwk_set({key.jwk()})};
  REQUIRE(finish(client.verify(key.token(payload()), expected()))->has_value());

  const auto later = payload().replace(payload().find("1800003600"), 10, "1800099999");
  provider.now += std::chrono::hours(2);
  provider.down = true;
  CHECK(finish(client.verify(key.token(later), expected()))->has_value());
  provider.down = false;
  provider.answers[kIssuer + "/jwks"] = {200, "<html>"};
  provider.now += std::chrono::seconds(30);
  CHECK(finish(client.verify(key.token(later), expected()))->has_value());
  provider.answers[kIssuer + "/jwks"] = {200, jwk_set({ProviderKey("EdDSA", "k").jwk()})};
  provider.now += std::chrono::seconds(30);
  CHECK(finish(client.verify(key.token(later), expected()))->error() == TokenRejection::bad_signature);
}

TEST_CASE("a discovery document is refused by the name of what is wrong with it") {
  const auto document = [](std::string_view from, std::string_view to) {
    std::string text = Provider().answers.begin()->second.body;
    return text.replace(text.find(from), from.size(), to);
  };
  struct Row {
    const char* name;
    std::string json;
    const char* member;
  };
  const Row rows[] = {
      {"a slash at the end", document("oidc\",\"auth", "oidc/\",\"auth"), "issuer"},
      {"another issuer", document("\"issuer\":\"https://login", "\"issuer\":\"https://evil"), "issuer"},
      {"no issuer", document("\"issuer\"", "\"x\""), "issuer"},
      {"keys by plain http", document("\"jwks_uri\":\"https", "\"jwks_uri\":\"http"), "jwks_uri"},
      {"keys in a file",
       document("\"jwks_uri\":\"https://login.example/oidc/jwks", "\"jwks_uri\":\"file:///etc/passwd"), "jwks_uri"},
      {"a password in an address", document("\"token_endpoint\":\"https://", "\"token_endpoint\":\"https://a:b@"),
       "token_endpoint"},
      {"no token endpoint", document("\"token_endpoint\"", "\"x\""), "token_endpoint"},
      {"a script as logout",
       document("\"end_session_endpoint\":\"https://login.example/oidc/end?x=1",
                "\"end_session_endpoint\":\"javascript:alert(1)"),
       "end_session_endpoint"},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const auto metadata = read_metadata(row.json, kIssuer);
    REQUIRE_FALSE(metadata.has_value());
    INFO(metadata.error().message);
    CHECK(metadata.error().member == row.member);
  }
  CHECK(read_metadata(document("x=1", "x=2"), kIssuer).has_value());
  CHECK_FALSE(read_metadata("[]", kIssuer).has_value());
  CHECK_FALSE(read_metadata(std::string(300'000, ' '), kIssuer).has_value());
}

TEST_CASE("the browser is sent away with PKCE, state and nonce, and the code exchanged with the verifier") {
  Provider provider;
  OidcClientSettings settings;
  settings.token_parameters = {{"resource", "https://api.example/x y"}};
  auto client = provider.client(settings);
  const auto pkce = make_pkce(system_random());
  CHECK(pkce.verifier.size() == 43);
  CHECK(pkce.challenge == base64url(sha256(pkce.verifier)));
  const auto url = finish(client.authorization_url({.redirect_uri = "https://cameleer.example/cb?a=b",
                                                    .state = "st",
                                                    .nonce = "no",
                                                    .challenge = pkce.challenge,
                                                    .more = {{"prompt", "login"}}}));
  REQUIRE(url.has_value());
  CHECK(*url ==
        kIssuer +
            "/auth?response_type=code&client_id=page%3A1&redirect_uri=https%3A%2F%2Fcameleer.example%2Fcb%3Fa%3Db"
            "&scope=openid%20profile%20email&state=st&nonce=no&code_challenge=" +
            pkce.challenge + "&code_challenge_method=S256&resource=https%3A%2F%2Fapi.example%2Fx%20y&prompt=login");

  provider.answers[kIssuer + "/token"] = {
      200, R"({"access_token":"at","token_type":"bearer","id_token":"it","expires_in":60})"};
  const auto tokens = finish(client.exchange_code("co de", "https://cameleer.example/cb", pkce.verifier));
  REQUIRE(tokens.has_value());
  CHECK(tokens->id_token == "it");
  CHECK(*tokens->expires_in == std::chrono::seconds(60));
  const auto& request = provider.asked.back();
  CHECK(request.post);
  CHECK(request.body ==
        "grant_type=authorization_code&code=co%20de&redirect_uri=https%3A%2F%2Fcameleer.example%2Fcb&code_verifier=" +
            pkce.verifier);
  CHECK(request.authorization == "Basic " + base64("page%3A1:s3cret%20%26"));

  settings.authentication = OidcClientSettings::Authentication::post;
  auto posting = provider.client(settings);
  REQUIRE(finish(posting.refresh("rt", {{"organization_id", "o"}})).has_value());
  CHECK(provider.asked.back().authorization.empty());
  CHECK(provider.asked.back().body ==
        "grant_type=refresh_token&refresh_token=rt&organization_id=o&client_id=page%3A1&client_secret=s3cret%20%26");
  REQUIRE(finish(client.client_credentials()).has_value());
  CHECK(provider.asked.back().body == "grant_type=client_credentials&resource=https%3A%2F%2Fapi.example%2Fx%20y");
}

TEST_CASE("a token answer is taken as the standard has it, and a refusal keeps the provider's word") {
  struct Row {
    const char* name;
    int status;
    const char* body;
    bool good;
    const char* member;
  };
  const Row rows[] = {
      {"good", 200, R"({"access_token":"a","token_type":"Bearer"})", true, ""},
      {"a life as text", 200, R"({"access_token":"a","token_type":"Bearer","expires_in":"60"})", true, ""},
      {"a life that is none", 200, R"({"access_token":"a","token_type":"Bearer","expires_in":"soon"})", false,
       "expires_in"},
      {"a negative life", 200, R"({"access_token":"a","token_type":"Bearer","expires_in":-1})", false, "expires_in"},
      {"no token", 200, R"({"token_type":"Bearer"})", false, "access_token"},
      {"another type", 200, R"({"access_token":"a","token_type":"mac"})", false, "token_type"},
      {"no type", 200, R"({"access_token":"a"})", false, "token_type"},
      {"no JSON", 200, "<html>", false, ""},
      {"a refusal", 400, R"({"error":"invalid_grant","error_description":"used\nbefore"})", false, "invalid_grant"},
      {"a refusal in HTML", 502, "<html>", false, ""},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const auto tokens = read_token_answer({row.status, row.body});
    CHECK(tokens.has_value() == row.good);
    if (!tokens) {
      CHECK(tokens.error().member == row.member);
      CHECK(tokens.error().message.find('\n') == std::string::npos);
    }
  }
}

TEST_CASE("UserInfo about somebody else is refused") {
  Provider provider;
  auto client = provider.client();
  provider.answers[kIssuer + "/me"] = {200, R"({"sub":"u1","email":"a@b"})"};
  CHECK(finish(client.user_info("at", "u1")).has_value());
  CHECK(provider.asked.back().authorization == "Bearer at");
  CHECK(finish(client.user_info("at", "u2")).error().member == "sub");
  provider.answers[kIssuer + "/me"] = {200, R"({"email":"a@b"})"};
  CHECK_FALSE(finish(client.user_info("at", "u1")).has_value());
}

TEST_CASE("logout leads to the provider with the hint, and back") {
  Provider provider;
  auto client = provider.client();
  CHECK(*finish(client.logout_url("id.to.ken", "https://cameleer.example/")) ==
        kIssuer +
            "/end?x=1&client_id=page%3A1&id_token_hint=id.to.ken&post_logout_redirect_uri=https%3A%2F%2Fcameleer."
            "example%2F");
}

TEST_CASE("a check says which step failed and why") {
  Provider provider;
  provider.answers[kIssuer + "/jwks"] = {200, R"({"keys":[{"kty":"oct"}]})"};
  auto client = provider.client();
  auto checks = finish(client.check());
  REQUIRE(checks.size() == 4);
  CHECK(checks[0].ok);
  CHECK(checks[1].ok);
  CHECK(checks[2].ok);
  CHECK_FALSE(checks[3].ok);
  provider.down = true;
  checks = finish(client.check());
  REQUIRE(checks.size() == 1);
  CHECK(checks[0].step == "discovery");
  CHECK_FALSE(checks[0].ok);
}
