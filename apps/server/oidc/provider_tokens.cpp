#include "server/oidc/provider_tokens.hpp"

#include <cameleer/identity/credential_text.hpp>

namespace cameleer::server {
namespace {

constexpr std::size_t kMaxKnown = 10'000;
constexpr std::chrono::minutes kKnown{10};
constexpr const char* kUnlisted = "unlisted_machine";
constexpr const char* kNotAdmitted = "not_admitted";
constexpr const char* kOverage = "group_overage";

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
  std::vector<std::string> reasons{kUnlisted, kNotAdmitted, kOverage};
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

const char* ProviderTokens::count_refused(const Error& refusal) {
  const auto* reason = refusal.code == ErrorCode::forbidden       ? kNotAdmitted
                       : refusal.code == ErrorCode::group_overage ? kOverage
                                                                  : nullptr;
  if (reason != nullptr) ++refused_[reason];
  return reason;
}

async::Task<Expected<identity::ProviderClaims>> ProviderTokens::verify(std::shared_ptr<OidcProvider> provider,
                                                                       std::string token) {
  auto verified = co_await provider->client->verify(std::move(token), provider->access_expectations());
  if (!verified)
    co_return fail(ErrorCode::unavailable, "The provider's keys cannot be had: " + verified.error().message);
  if (*verified) co_return std::move(**verified);
  count_refused(verified->error());
  co_return std::unexpected(refusal_of(verified->error()));
}

async::Task<Expected<std::string>> ProviderTokens::user_of(std::shared_ptr<OidcProvider> provider, std::string digest,
                                                           identity::ProviderClaims claims, AuditActor actor) {
  const auto now = clock_();
  const auto generation = provider->generation;
  const auto* known = known_.find(digest, now);
  if (known != nullptr && known->generation == generation) co_return known->user_id;
  auto user = co_await users_.admit(std::move(provider), claims.subject, std::move(claims.json), actor);
  if (!user) {
    if (const char* reason = count_refused(user.error())) {
      // The provider vouched for the name.
      actor.username = std::move(claims.subject);
      AuditEntry entry{.actor = std::move(actor),
                       .category = AuditCategory::auth,
                       .action = "use_token",
                       .target = std::move(claims.issuer),
                       .result = AuditResult::failure,
                       .detail = {{"method", "oidc"}, {"message", user.error().message}}};
      audit_.count(std::move(entry), reason);
    }
    co_return std::unexpected(user.error());
  }
  known_.put(digest, {.generation = generation, .user_id = *user}, now);
  co_return user;
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
  auto digest = identity::sha256(token);
  auto claims = co_await verify(*provider, std::move(token));
  if (!claims) co_return std::unexpected(claims.error());
  Expected<std::shared_ptr<const Principal>> principal;
  if (claims->is_machine()) {
    principal = co_await machine(
        *provider, std::move(claims->client_id), actor_of(request),
        fmt::format("{} {}", web::name_of(request.method), identity::without_credentials(request.path)));
  } else {
    const auto issued_at = claims->issued_at;
    auto user = co_await user_of(*provider, std::move(digest), std::move(*claims), actor_of(request));
    if (!user) co_return std::unexpected(user.error());
    principal = co_await auth_.principal_of_user(std::move(*user), issued_at);
  }
  if (principal) ++accepted_;
  co_return principal;
}

}  // namespace cameleer::server
