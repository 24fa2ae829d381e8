// What ProviderSessions does with a session whose turn it is: new tokens, what they say, and what follows.
#include "server/claim_mappings/token_claims.hpp"
#include "server/oidc/provider_sessions.hpp"

namespace cameleer::server {
namespace {

using Use = identity::ProviderExpectations::Use;

/// A provider that did not answer is asked again after so long, by the session's next request.
constexpr std::chrono::seconds kRetry{30};

}  // namespace

bool ends_session(std::string_view oauth_error) {
  // RFC 6749, 4.1.2.1 and 5.2; OpenID Connect Core, 3.1.2.6. Logto refuses who left the organization by
  // `access_denied`.
  constexpr std::string_view kAboutThePerson[] = {"invalid_grant",    "access_denied",
                                                  "login_required",   "interaction_required",
                                                  "consent_required", "account_selection_required"};
  return std::ranges::find(kAboutThePerson, oauth_error) != std::end(kAboutThePerson);
}

async::Task<Expected<bool>> ProviderSessions::postpone(std::string session_hash) {
  ++counts_[static_cast<std::size_t>(Result::failed)];
  auto postponed = co_await store_.postpone(std::move(session_hash), clock_() + kRetry);
  if (!postponed) co_return std::unexpected(postponed.error());
  co_return false;
}

async::Task<Expected<bool>> ProviderSessions::end(std::string session_hash, ClaimedSession session, AuditActor actor,
                                                  Trouble why) {
  ++counts_[static_cast<std::size_t>(Result::refused)];
  AuditEntry entry{.actor = std::move(actor),
                   .category = AuditCategory::auth,
                   .action = "renew_session",
                   .target = session.username,
                   .result = AuditResult::failure,
                   .detail = {{"method", "oidc"}, {"reason", why.reason}, {"message", why.error.message}}};
  auto ended = co_await store_.end(std::move(session_hash), std::move(entry));
  auth_.forget_known();
  if (!ended) co_return std::unexpected(ended.error());
  co_return fail(ErrorCode::unauthenticated, "The provider does not renew the session; sign in again.");
}

async::Task<Expected<bool>> ProviderSessions::refresh(std::string session_hash, ClaimedSession session,
                                                      AuditActor actor) {
  actor.username = session.username;
  actor.user_id = session.user_id;
  auto provider = co_await configuration_.provider();
  if (!provider) co_return std::unexpected(provider.error());
  auto tokens = opened(session.sealed, session_hash);
  const bool same = *provider && tokens && tokens->issuer == (*provider)->fields.issuer_uri &&
                    tokens->client_id == (*provider)->fields.client_id;
  if (!same) {
    Trouble changed{true, "configuration", {ErrorCode::conflict, "The provider's configuration or the key changed."}};
    co_return co_await end(std::move(session_hash), std::move(session), std::move(actor), std::move(changed));
  }
  auto answer = co_await (*provider)->client->refresh(tokens->refresh_token);
  const bool refused = !answer && answer.error().code == ErrorCode::upstream_error;
  provider_answers_ = answer.has_value() || (refused && !answer.error().member.empty());
  if (!answer && !(refused && ends_session(answer.error().member))) co_return co_await postpone(session_hash);
  if (!answer) {
    Trouble refusal{true, "provider", answer.error()};
    co_return co_await end(std::move(session_hash), std::move(session), std::move(actor), std::move(refusal));
  }
  const auto previous = tokens->id_token;
  tokens->access_token = std::move(answer->access_token);
  if (!answer->refresh_token.empty()) tokens->refresh_token = std::move(answer->refresh_token);
  if (!answer->id_token.empty()) tokens->id_token = std::move(answer->id_token);
  auto evaluated = co_await evaluate(*provider, session, *tokens, previous, actor);
  if (!evaluated && evaluated.error().final) {
    co_return co_await end(std::move(session_hash), std::move(session), std::move(actor), evaluated.error());
  }
  // The old refresh token may be spent: the new ones are kept in any case.
  auto times = refresh_times(clock_(), answer->expires_in);
  if (!evaluated) times.refresh_after = clock_() + kRetry;
  auto kept = co_await store_.put_tokens(session_hash, sealed(*tokens, session_hash), times);
  if (!kept) co_return std::unexpected(kept.error());
  ++counts_[static_cast<std::size_t>(evaluated ? Result::renewed : Result::failed)];
  co_return evaluated.has_value();
}

async::Task<std::expected<void, ProviderSessions::Trouble>> ProviderSessions::evaluate(
    std::shared_ptr<OidcProvider> provider, ClaimedSession session, SessionTokens fresh, std::string previous_id_token,
    AuditActor actor) {
  auto claims = co_await prove(provider, session.subject, std::move(fresh), std::move(previous_id_token));
  if (!claims) co_return std::unexpected(claims.error());
  auto user = co_await users_.admit(std::move(provider), session.subject, std::move(*claims), std::move(actor));
  if (!user) {
    const char* reason = tokens_.count_refused(user.error());
    co_return std::unexpected(Trouble{reason != nullptr, reason != nullptr ? reason : "unavailable", user.error()});
  }
  if (*user == session.user_id) co_return std::expected<void, Trouble>{};
  co_return std::unexpected(Trouble{true, "token", {ErrorCode::invalid_token, "The session is of another user."}});
}

async::Task<std::expected<std::string, ProviderSessions::Trouble>> ProviderSessions::prove(
    std::shared_ptr<OidcProvider> provider, std::string subject, SessionTokens fresh, std::string previous_id_token) {
  const auto unavailable = [](Error error) { return std::unexpected(Trouble{false, "unavailable", std::move(error)}); };
  const auto refuse = [](std::string reason, Error error) {
    return std::unexpected(Trouble{true, std::move(reason), std::move(error)});
  };
  const auto expected = provider->access_expectations();
  auto access = co_await provider->client->verify(fresh.access_token, expected);
  if (!access) co_return unavailable(access.error());
  const bool for_us = access->has_value() && (*access)->subject == subject;
  bool bound = for_us || expected.required_claims.empty();
  auto said = unverified_claims(previous_id_token).value_or("{}");
  if (fresh.id_token != previous_id_token) {
    // OpenID Connect Core, 12.2: about the same person, and of the same sign-in when it says of which.
    identity::ProviderExpectations id{
        .use = Use::id, .issuer = expected.issuer, .audience = fresh.client_id, .required_claims = {}, .nonce = {}};
    auto own = co_await provider->client->verify(fresh.id_token, id);
    if (!own) co_return unavailable(own.error());
    // Keys are asked for at most once a minute; a new one may have to wait for it.
    if (!*own && own->error() == identity::TokenRejection::unknown_key) {
      co_return unavailable(identity::error_of(own->error()));
    }
    if (!*own) {
      tokens_.count_refused(own->error());
      co_return refuse(std::string(name_of(own->error())), refusal_of(own->error()));
    }
    const auto nonce = text_claim((*own)->json, "nonce");
    if ((*own)->subject != subject || (!nonce.empty() && nonce != text_claim(said, "nonce"))) {
      co_return refuse("token", {ErrorCode::invalid_token, "The new ID token is about another sign-in."});
    }
    id.required_claims = expected.required_claims;
    if (!bound) {
      auto again = co_await provider->client->verify(fresh.id_token, std::move(id));
      bound = again.has_value() && again->has_value();
    }
    said = std::move((*own)->json);
  }
  if (!bound) {
    const auto why = access->has_value() ? identity::TokenRejection::bad_claims : access->error();
    if (why == identity::TokenRejection::unknown_key) co_return unavailable(identity::error_of(why));
    tokens_.count_refused(why);
    co_return refuse(std::string(name_of(why)), refusal_of(why));
  }
  auto claims = merged_claims(for_us ? (*access)->json : "{}", said);
  if (!provider->fields.user_info.value_or(false)) co_return claims;
  auto info = co_await provider->client->user_info(fresh.access_token, std::move(subject));
  if (!info) co_return unavailable(info.error());
  co_return merged_claims(claims, *info);
}

}  // namespace cameleer::server
