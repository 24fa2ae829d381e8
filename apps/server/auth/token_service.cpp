#include "server/auth/token_service.hpp"

#include <cameleer/identity/encoding.hpp>

namespace cameleer::server {
namespace {

constexpr std::string_view kUserAudience = "cameleer-api";
constexpr std::string_view kAgentAudience = "cameleer-agent";

constexpr std::string_view kReused = "The refresh token was used before; all tokens of its family have ended.";

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::invalid_token, std::move(message));
}

}  // namespace

TokenService::TokenService(const identity::Keys& keys, postgres::Pool& pool, Clock clock, Random random,
                           TokenSettings settings)
    : keys_(keys), store_(pool), clock_(std::move(clock)), random_(std::move(random)), settings_(std::move(settings)) {}

TokenPair TokenService::pair_of(const StoredRefresh& refresh) const {
  const auto& subject = refresh.subject;
  const bool agent = subject.kind == TokenSubject::Kind::agent;
  identity::Claims claims{.issuer = settings_.issuer,
                          .audience = std::string(agent ? kAgentAudience : kUserAudience),
                          .subject = subject.id,
                          .type = identity::TokenType::refresh,
                          .token_id = refresh.token_id,
                          .family = refresh.family,
                          .application = subject.application,
                          .environment = subject.environment,
                          .key_ref = subject.key_ref,
                          .roles = {},
                          .issued_at = refresh.issued_at,
                          .expires_at = refresh.expires_at};
  if (agent) claims.roles.emplace_back("AGENT");
  TokenPair pair;
  pair.refresh = identity::issue(keys_, claims);
  claims.type = identity::TokenType::access;
  claims.expires_at = std::min<Instant>(refresh.issued_at + settings_.access_life, refresh.expires_at);
  pair.access = identity::issue(keys_, claims);
  pair.expires_in = std::chrono::ceil<std::chrono::seconds>(claims.expires_at - clock_());
  return pair;
}

async::Task<Expected<TokenPair>> TokenService::issue(TokenSubject subject) {
  const auto now = clock_();
  StoredRefresh refresh;
  refresh.token_id = identity::random_uuid(random_);
  refresh.family = identity::random_uuid(random_);
  refresh.subject = std::move(subject);
  refresh.issued_at = now;
  refresh.expires_at = now + settings_.refresh_life;
  auto stored = co_await store_.insert(refresh);
  if (!stored) co_return std::unexpected(stored.error());
  co_return pair_of(refresh);
}

async::Task<Expected<TokenPair>> TokenService::rotate(std::string token_id) {
  if (!identity::is_uuid(token_id)) co_return refuse("The refresh token is not known.");
  const auto now = clock_();
  auto successor = co_await store_.spend(token_id, identity::random_uuid(random_), now, now + settings_.refresh_life);
  if (!successor) co_return std::unexpected(successor.error());
  if (*successor) co_return pair_of(**successor);

  auto spent = co_await store_.find(token_id);
  if (!spent) co_return std::unexpected(spent.error());
  if (!*spent) co_return refuse("The refresh token is not known.");
  const auto& token = **spent;
  if (token.revoked_at || !token.spent_at || !token.successor) co_return refuse("The refresh token has ended.");
  if (now - *token.spent_at >= settings_.successor_time) {
    auto revoked = co_await store_.revoke_family(token.family, now);
    if (!revoked) co_return std::unexpected(revoked.error());
    co_return refuse(std::string(kReused));
  }
  auto same = co_await store_.find(*token.successor);
  if (!same) co_return std::unexpected(same.error());
  if (!*same || (*same)->revoked_at) co_return refuse("The refresh token has ended.");
  co_return pair_of(**same);
}

bool TokenService::is_reuse(const Error& error) {
  return error.message == kReused;
}

async::Task<Expected<void>> TokenService::revoke_family(std::string family) {
  if (!identity::is_uuid(family)) co_return Expected<void>{};
  co_return co_await store_.revoke_family(std::move(family), clock_());
}

Expected<identity::Claims> TokenService::verify_any(std::string_view token) {
  const identity::Expectations expected{.issuer = settings_.issuer,
                                        .audiences = {std::string(kUserAudience), std::string(kAgentAudience)}};
  auto claims = identity::verify(keys_, token, expected, clock_(), &signatures_);
  if (!claims) return std::unexpected(identity::error_of(claims.error()));
  return std::move(*claims);
}

TokenSubject::Kind TokenService::kind_of(const identity::Claims& claims) {
  return claims.audience == kAgentAudience ? TokenSubject::Kind::agent : TokenSubject::Kind::user;
}

Expected<identity::Claims> TokenService::verify(std::string_view token, TokenSubject::Kind kind,
                                                identity::TokenType type) {
  auto claims = verify_any(token);
  if (!claims) return claims;
  if (kind_of(*claims) != kind || claims->type != type) {
    return fail(ErrorCode::unauthenticated, "A token of this kind is not accepted here.");
  }
  return claims;
}

async::Task<Expected<void>> TokenService::delete_expired() {
  co_return co_await store_.delete_expired(clock_());
}

}  // namespace cameleer::server
