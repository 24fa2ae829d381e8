#include "server/oidc/provider_tokens.hpp"

namespace cameleer::server {
namespace {

constexpr std::size_t kMaxKnown = 10'000;
constexpr std::chrono::minutes kKnown{10};
constexpr std::chrono::seconds kLeeway{60};
constexpr const char* kUnlisted = "unlisted_machine";
constexpr const char* kNotAdmitted = "not_admitted";

}  // namespace

Error refusal_of(identity::TokenRejection rejection) {
  using enum identity::TokenRejection;
  if (rejection == foreign_tenant) {
    return {ErrorCode::wrong_tenant, "The token does not have the claims that tokens for this server have."};
  }
  if (rejection == foreign_audience) return {ErrorCode::wrong_tenant, "The token is for another audience."};
  return identity::error_of(rejection);
}

std::vector<std::string> refusal_reasons() {
  std::vector<std::string> reasons{kUnlisted, kNotAdmitted};
  for (int i = 0; i <= static_cast<int>(identity::TokenRejection::bad_nonce); ++i) {
    reasons.emplace_back(name_of(static_cast<identity::TokenRejection>(i)));
  }
  return reasons;
}

ProviderTokens::ProviderTokens(OidcConfigurationService& configuration, ProviderUsers& users, AuthService& auth,
                               AuditService& audit, Clock clock)
    : configuration_(configuration),
      users_(users),
      auth_(auth),
      audit_(audit),
      clock_(std::move(clock)),
      known_(kMaxKnown, kKnown) {}

async::Task<Expected<ProviderTokens::Known>> ProviderTokens::verify(std::shared_ptr<OidcProvider> provider,
                                                                    std::string token, AuditActor actor) {
  auto verified = co_await provider->client->verify(std::move(token), provider->access_expectations());
  if (!verified)
    co_return fail(ErrorCode::unavailable, "The provider's keys cannot be had: " + verified.error().message);
  if (!*verified) {
    count_refused(verified->error());
    co_return std::unexpected(refusal_of(verified->error()));
  }
  auto& claims = **verified;
  Known known{.generation = provider->generation,
              .issued_at = claims.issued_at,
              .expires_at = claims.expires_at,
              .user_id = {},
              .client_id = {}};
  if (claims.is_machine()) {
    known.client_id = std::move(claims.client_id);
    co_return known;
  }
  auto user =
      co_await users_.admit(std::move(provider), std::move(claims.subject), std::move(claims.json), std::move(actor));
  if (!user) {
    if (user.error().code == ErrorCode::forbidden) ++refused_[kNotAdmitted];
    co_return std::unexpected(user.error());
  }
  known.user_id = std::move(*user);
  co_return known;
}

async::Task<Expected<std::shared_ptr<const Principal>>> ProviderTokens::machine(std::shared_ptr<OidcProvider> provider,
                                                                                std::string client_id, AuditActor actor,
                                                                                std::string what) {
  const auto& listed = provider->fields.m2m_client_ids;
  const bool admitted = listed && std::ranges::find(*listed, client_id) != listed->end();
  actor.username = client_id;
  AuditEntry entry{.actor = std::move(actor),
                   .category = AuditCategory::auth,
                   .action = "use_machine_token",
                   .target = std::move(what),
                   .result = admitted ? AuditResult::success : AuditResult::failure,
                   .detail = {{"clientId", client_id}}};
  auto recorded = co_await audit_.record(std::move(entry));
  // No use without its entry.
  if (!recorded) co_return std::unexpected(recorded.error());
  if (!admitted) {
    ++refused_[kUnlisted];
    co_return fail(ErrorCode::forbidden, "This program's client id is not on the list of those that may come in.");
  }
  auto principal = std::make_shared<Principal>();
  principal->kind = Principal::Kind::machine;
  principal->id = client_id;
  principal->username = std::move(client_id);
  principal->permissions = rbac::Permissions::all();
  co_return principal;
}

async::Task<Expected<std::shared_ptr<const Principal>>> ProviderTokens::principal_of_token(
    std::string token, const web::Request& request) {
  auto provider = co_await configuration_.provider();
  if (!provider) co_return std::unexpected(provider.error());
  if (!*provider) co_return std::shared_ptr<const Principal>();
  const auto now = clock_();
  const auto digest = identity::sha256(token);
  const auto* found = known_.find(digest, now);
  std::optional<Known> known;
  if (found != nullptr && found->generation == (*provider)->generation) known = *found;
  if (known && now >= known->expires_at + kLeeway) {
    count_refused(identity::TokenRejection::expired);
    co_return std::unexpected(refusal_of(identity::TokenRejection::expired));
  }
  if (!known) {
    auto verified = co_await verify(*provider, std::move(token), actor_of(request));
    if (!verified) co_return std::unexpected(verified.error());
    known = std::move(*verified);
    known_.put(digest, *known, now);
  }
  auto principal = known->client_id.empty()
                       ? co_await auth_.principal_of_user(known->user_id, known->issued_at)
                       : co_await machine(*provider, known->client_id, actor_of(request),
                                          fmt::format("{} {}", web::name_of(request.method), request.path));
  if (principal) ++accepted_;
  co_return principal;
}

}  // namespace cameleer::server
