#pragma once
#include "server/oidc/oidc_configuration_service.hpp"

namespace cameleer::server {

/// The users that come from a provider. A user is (issuer, subject); no name of a claim ever leads to somebody else's
/// account.
class ProviderUsers {
 public:
  /// `always_sign_up`: without local sign-in there is no other way to become a user.
  ProviderUsers(OidcStore& store, ClaimMappingService& mappings, Clock clock, Random random, bool always_sign_up);

  /// The id of the user that the claims are about, made when there is none yet, with roles and groups as the claims
  /// say. `forbidden`: no user and no sign-up, a disabled one, or strict and nothing matched; `group_overage`. Of
  /// somebody who is refused and has not been here yet nothing is stored.
  async::Task<Expected<std::string>> admit(std::shared_ptr<OidcProvider> provider, std::string subject,
                                           std::string claims, AuditActor actor);

 private:
  async::Task<Expected<ProviderUser>> make(std::shared_ptr<OidcProvider> provider, std::string subject,
                                           std::string claims, AuditActor actor);

  OidcStore& store_;
  ClaimMappingService& mappings_;
  Clock clock_;
  Random random_;
  bool always_sign_up_;
};

/// The text at a claim's name, dots included, or else at a path of names; empty when there is none.
std::string text_claim(std::string_view claims, std::string_view path);

/// Members of both JSON objects; of a name in both, that of `first`.
std::string merged_claims(std::string_view first, std::string_view second);

}  // namespace cameleer::server
