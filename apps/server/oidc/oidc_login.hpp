#pragma once
#include "server/auth/attempt_limit.hpp"
#include "server/oidc/provider_sessions.hpp"

namespace cameleer::server {

/// Sign-in of people at the provider: authorization code with PKCE, state and nonce. An attempt is good once, for 10
/// minutes, in the browser that began it. I/O thread only.
class OidcLogin {
 public:
  OidcLogin(OidcConfigurationService& configuration, OidcStore& store, ProviderUsers& users, ProviderTokens& tokens,
            ProviderSessions& sessions, AuthService& auth, AuditService& audit, const identity::Keys& keys, Clock clock,
            Random random);

  struct Begun {
    std::string location;  ///< where the browser goes
    std::string cookie_name, cookie_value;
  };
  /// `not_found`: people cannot sign in at a provider. `too_many_requests`: this address begins too often.
  async::Task<Expected<Begun>> begin(std::string return_to, std::string redirect_uri, std::string remote_address);

  /// What the provider sent the browser back with.
  struct Return {
    std::string state, code, error, issuer;
    std::function<std::string(const std::string& name)> cookie;
    std::string user_agent;
    AuditActor actor;
  };
  /// Why a sign-in failed, as the sign-in page knows it: `denied`, `state`, `provider`, `token`, `wrong_tenant`,
  /// `not_admitted`, `group_overage`, `unavailable`.
  struct Failure {
    std::string code;
    Error error;
  };
  struct SignedIn {
    std::string session, return_to;
  };
  async::Task<std::expected<SignedIn, Failure>> finish(Return answer);
  /// Name of the cookie that belongs to a state.
  static std::string cookie_of(const std::string& state);

  /// Where a browser ends its session at the provider; empty: there is no such place. By the hash of the session.
  async::Task<Expected<std::string>> logout_url(std::string session_hash, std::string redirect_uri);

 private:
  struct Attempt {
    std::string binding_hash, verifier, nonce, return_to, redirect_uri;
    std::string issuer, client_id;  ///< that it was begun with; another process may finish it
  };
  struct Proven {
    std::string subject, claims;
    identity::TokenAnswer tokens;
  };
  template <class T>
  using Outcome = std::expected<T, Failure>;

  async::Task<Outcome<Attempt>> take_attempt(const Return& answer);
  async::Task<Outcome<Proven>> prove(std::shared_ptr<OidcProvider> provider, std::string code, const Attempt& attempt);
  async::Task<Outcome<std::string>> bound_claims(std::shared_ptr<OidcProvider> provider, Proven& proven,
                                                 const Attempt& attempt);
  async::Task<Outcome<identity::ProviderClaims>> check(std::shared_ptr<OidcProvider> provider, std::string token,
                                                       identity::ProviderExpectations expected);
  async::Task<Outcome<SignedIn>> start(std::shared_ptr<OidcProvider> provider, Proven proven, const Return& answer,
                                       std::string return_to);
  async::Task<void> record(AuditActor actor, std::string issuer, const Failure* failure);

  OidcConfigurationService& configuration_;
  OidcStore& store_;
  ProviderUsers& users_;
  ProviderTokens& tokens_;
  ProviderSessions& sessions_;
  AuthService& auth_;
  AuditService& audit_;
  const identity::Keys& keys_;
  Clock clock_;
  Random random_;
  AttemptLimit by_address_;
};

}  // namespace cameleer::server
