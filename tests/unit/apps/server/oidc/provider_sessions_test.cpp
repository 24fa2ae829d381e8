#include "server/oidc/provider_sessions.hpp"

#include <catch2/catch.hpp>

#include "provider_keys.hpp"
#include "users_on_loop.hpp"

using namespace cameleer;
using identity::FetchAnswer;
using identity::FetchRequest;

namespace {

const std::string kIssuer = "https://login.example/oidc";

/// One server process over the rows: what it would build beside the services of the fixture.
struct Process {
  Process(test::UsersOnLoop& services, identity::Fetch fetch, const server::OidcFields& settings, bool only_these)
      : clock([&services] { return services.now; }),
        store(*services.pool, *services.audit),
        session_store(*services.pool, *services.audit),
        configuration(store, services.keys, std::move(fetch), clock, random, settings),
        mappings(*services.pool, *services.auth, *services.audit, clock, random,
                 [this] { return configuration.claim_policy(); }),
        users(store, mappings, clock, random, false),
        tokens(configuration, users, *services.auth, *services.audit, clock),
        sessions(configuration, session_store, users, tokens, *services.auth, services.keys, clock, random,
                 only_these) {}
  Clock clock;
  Random random = identity::system_random();
  server::OidcStore store;
  server::ProviderSessionStore session_store;
  server::OidcConfigurationService configuration;
  server::ClaimMappingService mappings;
  server::ProviderUsers users;
  server::ProviderTokens tokens;
  server::ProviderSessions sessions;
};

struct Sessions : test::UsersOnLoop {
  Sessions() {
    settings.issuer_uri = kIssuer;
    settings.audience = "api";
    settings.client_id = "cameleer";
    settings.client_secret = "s3cret";
    settings.token_parameters.emplace();
    (*settings.token_parameters)["organization_id"] = "org-1";
    discovery = {200,
                 fmt::format(R"({{"issuer":"{0}","authorization_endpoint":"{0}/auth","token_endpoint":"{0}/token",)"
                             R"("jwks_uri":"{0}/jwks"}})",
                             kIssuer)};
    start();
  }
  void start(bool only_these = false) {
    const auto fetch = [this](FetchRequest request) { return answer(this, std::move(request)); };
    one.emplace(*this, fetch, settings, only_these);
    other.emplace(*this, fetch, settings, only_these);
  }
  static async::Task<Expected<FetchAnswer>> answer(Sessions* self, FetchRequest request) {
    if (request.url == kIssuer + "/.well-known/openid-configuration") co_return self->discovery;
    if (request.url == kIssuer + "/jwks") co_return FetchAnswer{.status = 200, .body = jwk_set({self->key.jwk()})};
    if (request.url != kIssuer + "/token") co_return FetchAnswer{.status = 404, .body = {}};
    self->asked.push_back(request.body);
    if (self->down) co_return fail(ErrorCode::unavailable, "The provider cannot be reached.");
    co_return self->token_answer;
  }

  /// A token of Ada's, right but for `more`, which may repeat nothing.
  [[nodiscard]] std::string token(const std::string& more = "", const std::string& subject = "ada",
                                  const std::string& audience = "api") const {
    const auto seconds = milliseconds_of(now) / 1'000;
    return key.token(fmt::format(R"({{"iss":"{}","sub":"{}","aud":"{}","iat":{},"exp":{}{}}})", kIssuer, subject,
                                 audience, seconds, seconds + 3'600, more));
  }
  static FetchAnswer gives(const std::string& access, const std::string& refresh = "refresh-2",
                           const std::string& more = "") {
    return {200,
            fmt::format(R"({{"token_type":"Bearer","expires_in":3600,"access_token":"{}","refresh_token":"{}"{}}})",
                        access, refresh, more)};
  }
  static FetchAnswer refuses(int status, const std::string& error) { return {status, R"({"error":")" + error + "\"}"}; }

  /// Ada signs in with tokens that live an hour; the hash of her session.
  std::string sign_in(const std::string& refresh_token = "refresh-1") {
    auto provider = run(one->configuration.provider()).value();
    auto user = run(one->users.admit(provider, "ada", R"({"sub":"ada","preferred_username":"ada"})", {}));
    if (!user) throw std::runtime_error(user.error().message);
    ada = *user;
    auto session = run(auth->start_session(ada, "127.0.0.1", "browser")).value().session;
    auto hash = identity::sha256_hex(session);
    server::SessionTokens tokens{.id_token = token(R"(,"nonce":"n")", "ada", "cameleer"),
                                 .access_token = token(),
                                 .refresh_token = refresh_token,
                                 .issuer = kIssuer,
                                 .client_id = "cameleer"};
    if (!run(one->sessions.begin(hash, std::move(tokens), std::chrono::hours(1)))) throw std::runtime_error("begin");
    return hash;
  }
  Expected<bool> use(const std::string& hash) { return run(one->sessions.keep(hash, web::Request{})); }
  std::string roles() {
    return cell(
        "select coalesce(string_agg(name, ' '), '') from user_roles join roles using (role_id) where user_id = '" +
        ada + "'");
  }
  std::string count(const std::string& table) { return cell("select count(*) from " + table); }

  ProviderKey key{"ES384", "k1"};
  server::OidcFields settings;
  FetchAnswer discovery, token_answer;
  bool down = false;
  std::vector<std::string> asked;
  std::optional<Process> one, other;
  std::string ada;
};

}  // namespace

TEST_CASE_METHOD(Sessions,
                 "of all that use a session, in all processes, one asks for new tokens, shortly before the end") {
  const auto hash = sign_in();
  CHECK(roles() == "VIEWER");
  now += std::chrono::minutes(58);
  CHECK_FALSE(use(hash).value());
  CHECK(asked.empty());
  now += std::chrono::minutes(1);
  token_answer = gives(token(R"(,"roles":["OPERATOR"])"));
  std::vector<async::Task<Expected<bool>>> uses;
  const web::Request request;
  for (int i = 0; i < 20; ++i) uses.push_back((i % 2 == 0 ? one : other)->sessions.keep(hash, request));
  for (const auto& kept : test::together(*this, std::move(uses))) CHECK(kept.has_value());
  REQUIRE(asked.size() == 1);
  CHECK(asked[0] == "grant_type=refresh_token&refresh_token=refresh-1&organization_id=org-1");
  CHECK(roles() == "OPERATOR");
  CHECK(one->sessions.count(server::ProviderSessions::Result::renewed) +
            other->sessions.count(server::ProviderSessions::Result::renewed) ==
        1);
  CHECK(cell("select count(*) from audit_log where action = 'apply_claim_mappings' and username = 'ada'") ==
        "2");  // and at the sign-in

  now += std::chrono::minutes(58);
  CHECK(use(hash).has_value());
  CHECK(asked.size() == 1);
  now += std::chrono::minutes(1);
  token_answer = gives(token(R"(,"roles":["ADMIN"])"), "", R"(,"id_token":")" + token("", "ada", "cameleer") + "\"");
  CHECK(use(hash).value());
  REQUIRE(asked.size() == 2);
  CHECK(asked[1].find("refresh_token=refresh-2") != std::string::npos);
  CHECK(roles() == "ADMIN");
  now += std::chrono::hours(5);  // nobody used it: it asks when somebody does, with what it has
  CHECK(use(hash).has_value());
  CHECK(asked[2].find("refresh_token=refresh-2") != std::string::npos);
  const auto sealed = cell("select sealed from oidc_sessions");
  CHECK(sealed.starts_with("v1."));
  CHECK(sealed.find("refresh") == std::string::npos);
}

TEST_CASE_METHOD(Sessions, "what the provider or the rules refuse ends the session, with an entry") {
  struct Row {
    const char* name;
    std::function<void()> change;
    const char* reason;
  };
  const Row rows[] = {
      {"the account is disabled", [&] { token_answer = refuses(400, "invalid_grant"); }, "provider"},
      {"no member of the organization any more", [&] { token_answer = refuses(403, "access_denied"); }, "provider"},
      {"the consent is missing", [&] { token_answer = refuses(400, "consent_required"); }, "provider"},
      {"an ID token about somebody else",
       [&] { token_answer = gives(token(), "r", R"(,"id_token":")" + token("", "eve", "cameleer") + "\""); }, "token"},
      {"an ID token of another sign-in",
       [&] {
         token_answer = gives(token(), "r", R"(,"id_token":")" + token(R"(,"nonce":"m")", "ada", "cameleer") + "\"");
       },
       "token"},
      {"an ID token for another client",
       [&] { token_answer = gives(token(), "r", R"(,"id_token":")" + token("", "ada", "other") + "\""); },
       "foreign_audience"},
      {"a token of another organization",
       [&] {
         settings.required_claims.emplace();
         (*settings.required_claims)["organization_id"] = "org-1";
         start();
         token_answer = gives(token(R"(,"organization_id":"org-2")"));
       },
       "foreign_tenant"},
      {"strict, and nothing fits",
       [&] {
         settings.strict = true;
         start();
         token_answer = gives(token());
       },
       "not_admitted"},
      {"the groups left out",
       [&] {
         settings.roles_claim = "groups";
         start();
         token_answer = gives(token(R"(,"hasgroups":true)"));
       },
       "group_overage"},
      {"another client now",
       [&] {
         settings.client_id = "renamed";
         start();
       },
       "configuration"},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    settings.required_claims.reset();
    settings.strict.reset();
    settings.roles_claim.reset();
    settings.client_id = "cameleer";
    start();
    asked.clear();
    const auto hash = sign_in();
    now += std::chrono::minutes(59);
    row.change();
    const auto kept = use(hash);
    REQUIRE_FALSE(kept.has_value());
    CHECK(kept.error().code == ErrorCode::unauthenticated);
    CHECK(asked.size() == (std::string_view(row.reason) == "configuration" ? 0 : 1));
    CHECK(count("sessions") == "0");
    CHECK(count("oidc_sessions") == "0");
    CHECK(one->sessions.count(server::ProviderSessions::Result::refused) == 1);
    CHECK(cell("select detail ->> 'reason' from audit_log where action = 'renew_session' and result = 'FAILURE' and "
               "username = 'ada' order by id desc limit 1") == row.reason);
    CHECK(use(hash).value_or(false) == false);
  }
}

TEST_CASE_METHOD(Sessions, "a provider that is down, ill or misconfigured leaves the session as it is") {
  struct Row {
    const char* name;
    std::function<void()> change;
    bool answers;
  };
  const ProviderKey unknown("ES384", "k2");
  const Row rows[] = {
      {"down", [&] { down = true; }, false},
      {"an error page", [&] { token_answer = {502, "<html>"}; }, false},
      {"overloaded", [&] { token_answer = refuses(503, "temporarily_unavailable"); }, true},
      {"a new client secret", [&] { token_answer = refuses(401, "invalid_client"); }, true},
      {"a scope that is gone", [&] { token_answer = refuses(400, "invalid_scope"); }, true},
      {"nonsense", [&] { token_answer = {200, "{}"}; }, true},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    start();
    down = false;
    asked.clear();
    const auto hash = sign_in();
    now += std::chrono::minutes(59);
    row.change();
    CHECK(use(hash).has_value());
    CHECK(one->sessions.count(server::ProviderSessions::Result::failed) == 1);
    CHECK(one->sessions.provider_answers() == row.answers);
    now += std::chrono::minutes(10) - std::chrono::seconds(1);  // also when the old tokens have ended
    CHECK(use(hash).has_value());
    CHECK(use(hash).has_value());
    CHECK(asked.size() == 2);
    now += std::chrono::seconds(29);
    CHECK(use(hash).has_value());
    CHECK(asked.size() == 2);
    now += std::chrono::seconds(1);
    down = false;
    token_answer = gives(token());
    CHECK(use(hash).value());
    CHECK(one->sessions.provider_answers());
    CHECK(asked.size() == 3);
    cell("delete from sessions");
  }
}

TEST_CASE_METHOD(Sessions, "new tokens are kept even while their key is not known yet") {
  const auto hash = sign_in();
  CHECK_FALSE(use(hash).value());
  now += std::chrono::minutes(59);
  const auto before = key;
  key = ProviderKey("ES384", "k2");
  const auto rotated = token("", "ada", "cameleer");
  const auto access = token();
  key = before;
  token_answer = gives(access, "refresh-2", R"(,"id_token":")" + rotated + "\"");
  CHECK_FALSE(use(hash).value());
  CHECK(one->sessions.count(server::ProviderSessions::Result::failed) == 1);
  now += std::chrono::seconds(61);
  token_answer = gives(token());
  CHECK(use(hash).value());
  CHECK(asked.back().find("refresh_token=refresh-2") != std::string::npos);
}

TEST_CASE_METHOD(Sessions, "without a refresh token nobody is asked") {
  const auto hash = sign_in("");
  now += std::chrono::hours(20);
  CHECK_FALSE(use(hash).value());
  CHECK(asked.empty());
}

TEST_CASE_METHOD(Sessions,
                 "without local sign-in the sessions and tokens of local users do not count, and end at the start") {
  const auto local =
      run(auth->start_session(cell("select user_id from users where username = 'admin'"), "::1", "")).value();
  const auto local_hash = identity::sha256_hex(local.session);
  const auto hash = sign_in();
  CHECK_FALSE(use(local_hash).value());
  start(true);
  CHECK(use(local_hash).error().code == ErrorCode::unauthenticated);
  CHECK_FALSE(use(hash).value());
  CHECK(run(one->sessions.end_local()).value() == 2);  // the session, and the token that the fixture signed in with
  CHECK(count("sessions") == "1");
  CHECK(cell("select count(*) from refresh_tokens where user_id is not null and revoked_at is null") == "0");
  CHECK(cell("select username from audit_log where action = 'end_local_access'") == "SYSTEM");
  CHECK(run(one->sessions.end_local()).value() == 0);
  CHECK(cell("select count(*) from audit_log where action = 'end_local_access'") == "1");
  CHECK_FALSE(use(hash).value());
}

TEST_CASE("tokens are asked for again a minute before they end, or a quarter of a short life") {
  const auto now = instant_of(1'000'000);
  const std::tuple<std::optional<std::chrono::seconds>, int, int> rows[] = {{std::chrono::seconds(3600), 3540, 3600},
                                                                            {std::chrono::seconds(240), 180, 240},
                                                                            {std::chrono::seconds(8), 6, 8},
                                                                            {std::nullopt, 240, 300}};
  for (const auto& [life, after, end] : rows) {
    const auto times = server::refresh_times(now, life);
    CHECK(times.refresh_after == now + std::chrono::seconds(after));
    CHECK(times.expires_at == now + std::chrono::seconds(end));
  }
  CHECK(server::refresh_times(now, std::chrono::seconds(0)).refresh_after > now);
}

TEST_CASE("errors about the person end a session, errors about the client or the provider do not") {
  for (const auto* error :
       {"invalid_grant", "access_denied", "interaction_required", "login_required", "consent_required"})
    CHECK(server::ends_session(error));
  for (const auto* error : {"", "invalid_client", "unauthorized_client", "invalid_request", "invalid_scope",
                            "invalid_target", "server_error", "temporarily_unavailable"})
    CHECK_FALSE(server::ends_session(error));
}
