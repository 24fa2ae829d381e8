#pragma once
#include "server/auth/authorizer.hpp"
#include "server/oidc/provider_users.hpp"

namespace cameleer::server {

/// Bearer tokens of the provider. Of a token it remembers, by its digest and for 10 minutes, that the signature held
/// and whom it is for; times are looked at with every request, and what its user may do is at most 5 s old. I/O thread
/// only.
class ProviderTokens final : public ForeignTokens {
 public:
  ProviderTokens(OidcConfigurationService& configuration, ProviderUsers& users, AuthService& auth, AuditService& audit,
                 Clock clock);

  async::Task<Expected<std::shared_ptr<const Principal>>> principal_of_token(std::string token,
                                                                             const web::Request& request) override;

  /// Refused tokens by reason; `unlisted_machine` and `not_admitted` beside the names of `identity::TokenRejection`.
  [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& refused() const { return refused_; }
  void count_refused(identity::TokenRejection reason) { ++refused_[std::string(name_of(reason))]; }
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }

 private:
  struct Known {
    std::uint64_t generation = 0;  ///< of the configuration that it was verified with
    Instant issued_at{}, expires_at{};
    std::string user_id;    ///< empty for a program
    std::string client_id;  ///< of a program
  };
  async::Task<Expected<Known>> verify(std::shared_ptr<OidcProvider> provider, std::string token, AuditActor actor);
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
