#pragma once
#include "server/auth/authorizer.hpp"
#include "server/oidc/provider_users.hpp"

namespace cameleer::server {

/// Bearer tokens of the provider. Of a person's token it remembers, by its digest and for 10 minutes, which user was
/// admitted with it. All that the token says is looked at with every request (of the signature the client remembers
/// that it held), and what its user may do is at most 5 s old. I/O thread only.
class ProviderTokens final : public ForeignTokens {
 public:
  ProviderTokens(OidcConfigurationService& configuration, ProviderUsers& users, AuthService& auth, AuditService& audit,
                 Clock clock);

  async::Task<Expected<std::shared_ptr<const Principal>>> principal_of_token(std::string token,
                                                                             const web::Request& request) override;

  /// Refused tokens by reason; `unlisted_machine`, `not_admitted` and `group_overage` beside the names of
  /// `identity::TokenRejection`.
  [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& refused() const { return refused_; }
  void count_refused(identity::TokenRejection reason) { ++refused_[std::string(name_of(reason))]; }
  /// The refusal of a person whose token is right, by its reason; null when it is no refusal.
  const char* count_refused(const Error& refusal);
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }

 private:
  struct Known {
    std::uint64_t generation = 0;  ///< of the configuration that the user was admitted by
    std::string user_id;
  };
  async::Task<Expected<identity::ProviderClaims>> verify(std::shared_ptr<OidcProvider> provider, std::string token);
  async::Task<Expected<std::string>> user_of(std::shared_ptr<OidcProvider> provider, std::string digest,
                                             identity::ProviderClaims claims, AuditActor actor);
  async::Task<Expected<std::shared_ptr<const Principal>>> machine(std::shared_ptr<OidcProvider> provider,
                                                                  std::string client_id, AuditActor actor,
                                                                  std::string what);

  OidcConfigurationService& configuration_;
  ProviderUsers& users_;
  AuthService& auth_;
  AuditService& audit_;
  Clock clock_;
  identity::Recent<Known> known_;
  std::map<std::string, std::uint64_t, std::less<>> refused_;
  std::uint64_t accepted_ = 0;
};

/// The refusal as callers see it; `wrong_tenant` when audience or a required claim is not ours.
Error refusal_of(identity::TokenRejection rejection);
/// Every reason that `refused` may count.
std::vector<std::string> refusal_reasons();

}  // namespace cameleer::server
