#include "server/oidc/oidc_login.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "server/oidc/oidc_sealed_columns.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr std::chrono::minutes kAttemptLife{10};
constexpr std::size_t kMostAttempts = 10'000;
constexpr int kBeginsPerMinute = 60;
constexpr std::size_t kMaxParameter = 8 * 1024;

std::string member_of(const json::object& object, const char* name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::optional<json::object> object_in(std::string_view text) {
  boost::system::error_code error;
  auto value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

std::unexpected<OidcLogin::Failure> failed(std::string code, Error error) {
  return std::unexpected(OidcLogin::Failure{.code = std::move(code), .error = std::move(error)});
}

std::unexpected<OidcLogin::Failure> failed(std::string code, std::string message) {
  return failed(std::move(code), Error{ErrorCode::invalid_token, std::move(message)});
}

/// A failure of the provider's, or of ours.
std::unexpected<OidcLogin::Failure> failed(Error error) {
  const bool theirs = error.code == ErrorCode::upstream_error;
  return failed(theirs                                          ? "provider"
                : error.code == ErrorCode::forbidden            ? "not_admitted"
                : error.code == ErrorCode::group_overage        ? "group_overage"
                : error.code == ErrorCode::license_cap_exceeded ? "license_cap_exceeded"
                                                                : "unavailable",
                std::move(error));
}

}  // namespace

OidcLogin::OidcLogin(OidcConfigurationService& configuration, OidcStore& store, ProviderUsers& users,
                     ProviderTokens& tokens, ProviderSessions& sessions, AuthService& auth, AuditService& audit,
                     const identity::Keys& keys, Clock clock, Random random)
    : configuration_(configuration),
      store_(store),
      users_(users),
      tokens_(tokens),
      sessions_(sessions),
      auth_(auth),
      audit_(audit),
      keys_(keys),
      clock_(std::move(clock)),
      random_(std::move(random)),
      by_address_(kBeginsPerMinute, std::chrono::minutes(1), kMostAttempts) {}

std::string OidcLogin::cookie_of(const std::string& state) {
  return "cameleer_oidc_" + identity::sha256_hex(state).substr(0, 16);
}

async::Task<Expected<OidcLogin::Begun>> OidcLogin::begin(std::string return_to, std::string redirect_uri,
                                                         std::string remote_address) {
  auto provider = co_await configuration_.provider();
  if (!provider) co_return std::unexpected(provider.error());
  if (!*provider || !(*provider)->fields.client_id) {
    co_return fail(ErrorCode::not_found, "There is no sign-in with an OpenID provider.");
  }
  const auto now = clock_();
  if (by_address_.count(remote_address, now)) {
    co_return fail(ErrorCode::too_many_requests, "Too many sign-ins were begun from this address; wait a minute.");
  }
  const auto pkce = identity::make_pkce(random_);
  const auto state = identity::random_token(random_), nonce = identity::random_token(random_);
  Begun begun{.location = {}, .cookie_name = cookie_of(state), .cookie_value = identity::random_token(random_)};
  auto url = co_await (*provider)->client->authorization_url(
      {.redirect_uri = redirect_uri, .state = state, .nonce = nonce, .challenge = pkce.challenge, .more = {}});
  if (!url) co_return std::unexpected(url.error());
  begun.location = std::move(*url);
  const json::object attempt{{"binding", identity::sha256_hex(begun.cookie_value)},
                             {"verifier", pkce.verifier},
                             {"nonce", nonce},
                             {"returnTo", return_to},
                             {"redirectUri", redirect_uri},
                             {"issuer", *(*provider)->fields.issuer_uri},
                             {"clientId", *(*provider)->fields.client_id}};
  const auto hash = identity::sha256_hex(state);
  auto sealed = identity::seal(keys_, json::serialize(attempt), oidc_attempt_place(hash), random_);
  auto kept = co_await store_.insert_attempt(hash, std::move(sealed), now, now + kAttemptLife, kMostAttempts);
  if (!kept) co_return std::unexpected(kept.error());
  if (!*kept) co_return fail(ErrorCode::overloaded, "Too many sign-ins are under way.");
  co_return begun;
}

async::Task<OidcLogin::Outcome<OidcLogin::Attempt>> OidcLogin::take_attempt(const Return& answer) {
  if (answer.state.empty() || answer.state.size() > kMaxParameter) co_return failed("state", "There is no state.");
  const auto hash = identity::sha256_hex(answer.state);
  auto sealed = co_await store_.take_attempt(hash, clock_());
  if (!sealed) co_return failed(sealed.error());
  const auto text = *sealed ? identity::open(keys_, **sealed, oidc_attempt_place(hash)) : std::nullopt;
  const auto object = text ? object_in(*text) : std::nullopt;
  if (!object) co_return failed("state", "The sign-in is not known, was used already or took too long.");
  Attempt attempt{.binding_hash = member_of(*object, "binding"),
                  .verifier = member_of(*object, "verifier"),
                  .nonce = member_of(*object, "nonce"),
                  .return_to = member_of(*object, "returnTo"),
                  .redirect_uri = member_of(*object, "redirectUri"),
                  .issuer = member_of(*object, "issuer"),
                  .client_id = member_of(*object, "clientId")};
  const auto cookie = answer.cookie(cookie_of(answer.state));
  if (!identity::equal_in_constant_time(identity::sha256_hex(cookie), attempt.binding_hash)) {
    co_return failed("state", "The sign-in was begun in another browser.");
  }
  co_return attempt;
}

async::Task<OidcLogin::Outcome<identity::ProviderClaims>> OidcLogin::check(std::shared_ptr<OidcProvider> provider,
                                                                           std::string token,
                                                                           identity::ProviderExpectations expected) {
  auto verified = co_await provider->client->verify(std::move(token), std::move(expected));
  if (!verified) co_return failed(verified.error());
  if (*verified) co_return std::move(**verified);
  tokens_.count_refused(verified->error());
  auto error = refusal_of(verified->error());
  const std::string code = error.code == ErrorCode::wrong_tenant ? "wrong_tenant" : "token";
  error.message += fmt::format(" ({})", name_of(verified->error()));
  co_return failed(code, std::move(error));
}

async::Task<OidcLogin::Outcome<std::string>> OidcLogin::bound_claims(std::shared_ptr<OidcProvider> provider,
                                                                     Proven& proven, const Attempt& attempt) {
  const auto expected = provider->access_expectations();
  const bool must = !expected.required_claims.empty();
  auto first = co_await provider->client->verify(proven.tokens.access_token, expected);
  if (!first) co_return failed(first.error());
  if (*first && (*first)->subject == proven.subject) co_return (*first)->json;
  if (!must) co_return std::string("{}");
  // An ID token that is bound itself is enough.
  identity::ProviderExpectations id{.use = identity::ProviderExpectations::Use::id,
                                    .issuer = expected.issuer,
                                    .audience = *provider->fields.client_id,
                                    .required_claims = expected.required_claims,
                                    .nonce = attempt.nonce};
  auto own = co_await provider->client->verify(proven.tokens.id_token, std::move(id));
  if (own && *own) co_return std::string("{}");
  if (proven.tokens.refresh_token.empty()) {
    tokens_.count_refused(identity::TokenRejection::foreign_tenant);
    co_return failed("wrong_tenant", "The tokens lack the required claims, and there is no refresh token to ask with.");
  }
  auto more = co_await provider->client->refresh(proven.tokens.refresh_token);
  if (!more) co_return failed(more.error());
  auto claims = co_await check(provider, more->access_token, expected);
  if (!claims) co_return std::unexpected(claims.error());
  if (claims->subject != proven.subject) co_return failed("token", "The refreshed token is about another subject.");
  proven.tokens.access_token = std::move(more->access_token);
  proven.tokens.expires_in = more->expires_in;
  if (!more->refresh_token.empty()) proven.tokens.refresh_token = std::move(more->refresh_token);
  co_return std::move(claims->json);
}

async::Task<OidcLogin::Outcome<OidcLogin::Proven>> OidcLogin::prove(std::shared_ptr<OidcProvider> provider,
                                                                    std::string code, const Attempt& attempt) {
  auto tokens = co_await provider->client->exchange_code(std::move(code), attempt.redirect_uri, attempt.verifier);
  if (!tokens) co_return failed(tokens.error());
  identity::ProviderExpectations expected{.use = identity::ProviderExpectations::Use::id,
                                          .issuer = *provider->fields.issuer_uri,
                                          .audience = *provider->fields.client_id,
                                          .required_claims = {},
                                          .nonce = attempt.nonce};
  auto id = co_await check(provider, tokens->id_token, std::move(expected));
  if (!id) co_return std::unexpected(id.error());
  Proven proven{.subject = id->subject, .claims = std::move(id->json), .tokens = std::move(*tokens)};
  auto bound = co_await bound_claims(provider, proven, attempt);
  if (!bound) co_return std::unexpected(bound.error());
  proven.claims = merged_claims(*bound, proven.claims);
  if (provider->fields.user_info.value_or(false)) {
    auto info = co_await provider->client->user_info(proven.tokens.access_token, proven.subject);
    if (!info) co_return failed(info.error());
    proven.claims = merged_claims(proven.claims, *info);
  }
  co_return proven;
}

async::Task<OidcLogin::Outcome<OidcLogin::SignedIn>> OidcLogin::start(std::shared_ptr<OidcProvider> provider,
                                                                      Proven proven, const Return& answer,
                                                                      std::string return_to) {
  auto user = co_await users_.admit(provider, proven.subject, std::move(proven.claims), answer.actor);
  if (!user) {
    (void)tokens_.count_refused(user.error());
    co_return failed(user.error());
  }
  auto noted = co_await store_.note_login(*user, clock_());
  if (!noted) co_return failed(noted.error());
  auto started = co_await auth_.start_session(*user, answer.actor.remote_address, answer.user_agent);
  if (!started) co_return failed(started.error());
  SessionTokens tokens{.id_token = std::move(proven.tokens.id_token),
                       .access_token = std::move(proven.tokens.access_token),
                       .refresh_token = std::move(proven.tokens.refresh_token),
                       .issuer = *provider->fields.issuer_uri,
                       .client_id = *provider->fields.client_id};
  auto kept =
      co_await sessions_.begin(identity::sha256_hex(started->session), std::move(tokens), proven.tokens.expires_in);
  if (!kept) {
    co_await auth_.end_session(started->session);
    co_return failed(kept.error());
  }
  AuditEntry entry{.actor = answer.actor,
                   .category = AuditCategory::auth,
                   .action = "login",
                   .target = started->user.username,
                   .detail = {{"method", "oidc"}}};
  entry.actor.username = started->user.username;
  entry.actor.user_id = started->user.id;
  auto recorded = co_await audit_.record(std::move(entry));
  if (!recorded) {
    co_await auth_.end_session(started->session);
    co_return failed(recorded.error());
  }
  co_return SignedIn{.session = std::move(started->session), .return_to = std::move(return_to)};
}

async::Task<void> OidcLogin::record(AuditActor actor, std::string issuer, const Failure* failure) {
  AuditEntry entry{.actor = std::move(actor),
                   .category = AuditCategory::auth,
                   .action = "login",
                   .target = std::move(issuer),
                   .result = AuditResult::failure,
                   .detail = {{"method", "oidc"}, {"reason", failure->code}, {"message", failure->error.message}}};
  (void)co_await audit_.record(std::move(entry));
}

async::Task<std::expected<OidcLogin::SignedIn, OidcLogin::Failure>> OidcLogin::finish(Return answer) {
  auto attempt = co_await take_attempt(answer);
  // A stranger's invention is not worth an entry.
  if (!attempt) co_return std::unexpected(attempt.error());
  auto provider = co_await configuration_.provider();
  if (!provider) co_return failed(provider.error());
  const bool same = *provider && (*provider)->fields.client_id == std::optional(attempt->client_id) &&
                    (*provider)->fields.issuer_uri == std::optional(attempt->issuer);
  if (!same) co_return failed("state", "The configuration was changed during the sign-in.");
  Outcome<SignedIn> result = failed("state", "");
  if (!answer.issuer.empty() && answer.issuer != *(*provider)->fields.issuer_uri) {
    // RFC 9207: the answer of another provider.
    result = failed("state", "The answer comes from another provider.");
  } else if (!answer.error.empty()) {
    result = failed(answer.error == "access_denied" ? "denied" : "provider",
                    "The provider refused: " + answer.error.substr(0, 200));
  } else if (answer.code.empty() || answer.code.size() > kMaxParameter) {
    result = failed("provider", "The provider sent no code.");
  } else {
    auto proven = co_await prove(*provider, answer.code, *attempt);
    if (proven)
      result = co_await start(*provider, std::move(*proven), answer, attempt->return_to);
    else
      result = std::unexpected(proven.error());
  }
  if (!result) co_await record(answer.actor, *(*provider)->fields.issuer_uri, &result.error());
  co_return result;
}

async::Task<Expected<std::string>> OidcLogin::logout_url(std::string session_hash, std::string redirect_uri) {
  auto provider = co_await configuration_.provider();
  if (!provider) co_return std::unexpected(provider.error());
  if (!*provider) co_return std::string();
  auto tokens = co_await sessions_.tokens_of(std::move(session_hash));
  if (!tokens) co_return std::unexpected(tokens.error());
  if (!*tokens || (*tokens)->issuer != *(*provider)->fields.issuer_uri) co_return std::string();
  co_return co_await (*provider)->client->logout_url(std::move((*tokens)->id_token), std::move(redirect_uri));
}

}  // namespace cameleer::server
