#pragma once
#include "server/oidc/provider_session_store.hpp"
#include "server/oidc/provider_tokens.hpp"

namespace cameleer::server {

/// What the provider gave for a session, encrypted at rest.
struct SessionTokens {
  std::string id_token, access_token, refresh_token;
  std::string issuer, client_id;  ///< whose they are: no other provider ever gets them
};

/// Keeps the sessions that a provider began alive on its word. A session in use asks for new tokens shortly before the
/// old ones end, one request at a time over all processes; with each new token the rules are evaluated once. When the
/// provider refuses, the session ends; while it, or the database, is down the session goes on to its own end. Without a
/// refresh token nobody is asked. I/O thread only.
class ProviderSessions final : public SessionKeeper {
 public:
  /// `only_these`: sessions that no provider began do not count.
  ProviderSessions(OidcConfigurationService& configuration, ProviderSessionStore& store, ProviderUsers& users,
                   ProviderTokens& tokens, AuthService& auth, const identity::Keys& keys, Clock clock, Random random,
                   bool only_these);

  /// Of a session that was just started.
  async::Task<Expected<void>> begin(std::string session_hash, SessionTokens tokens,
                                    std::optional<std::chrono::seconds> life);
  async::Task<Expected<bool>> keep(std::string session_hash, const web::Request& request) override;
  /// Nothing: not a session of a provider.
  async::Task<Expected<std::optional<SessionTokens>>> tokens_of(std::string session_hash);
  /// At a start without local sign-in: what it left behind ends for good. How many sessions and tokens.
  async::Task<Expected<std::int64_t>> end_local();

  enum class Result : std::uint8_t { renewed, refused, failed };
  [[nodiscard]] std::uint64_t count(Result result) const { return counts_[static_cast<std::size_t>(result)]; }
  /// Whether the provider answered when it was asked last.
  [[nodiscard]] bool provider_answers() const { return provider_answers_; }

 private:
  struct Known {
    bool of_provider = false;
    RefreshTimes times;
  };
  /// Why there are no claims now, or never again (`final`).
  struct Trouble {
    bool final = false;
    std::string reason;
    Error error;
  };
  async::Task<Expected<Known>> find(std::string session_hash);
  async::Task<Expected<bool>> renew(std::string session_hash, AuditActor actor);
  async::Task<Expected<bool>> refresh(std::string session_hash, ClaimedSession session, AuditActor actor);
  async::Task<std::expected<void, Trouble>> evaluate(std::shared_ptr<OidcProvider> provider, ClaimedSession session,
                                                     SessionTokens fresh, std::string previous_id_token,
                                                     AuditActor actor);
  async::Task<std::expected<std::string, Trouble>> prove(std::shared_ptr<OidcProvider> provider, std::string subject,
                                                         SessionTokens fresh, std::string previous_id_token);
  async::Task<Expected<bool>> end(std::string session_hash, ClaimedSession session, AuditActor actor, Trouble why);
  async::Task<Expected<bool>> postpone(std::string session_hash);
  [[nodiscard]] std::string sealed(const SessionTokens& tokens, const std::string& session_hash) const;
  [[nodiscard]] std::optional<SessionTokens> opened(const std::string& text, const std::string& session_hash) const;

  OidcConfigurationService& configuration_;
  ProviderSessionStore& store_;
  ProviderUsers& users_;
  ProviderTokens& tokens_;
  AuthService& auth_;
  const identity::Keys& keys_;
  Clock clock_;
  Random random_;
  bool only_these_;
  identity::Recent<Known> known_;
  std::array<std::uint64_t, 3> counts_{};
  bool provider_answers_ = true;
};

/// When tokens that live so long from now are asked for again: a minute before their end, or a quarter of short lives.
RefreshTimes refresh_times(Instant now, std::optional<std::chrono::seconds> life);
/// Whether the token endpoint's error is about the person, so that the session ends; the others are about this client,
/// its requests or the provider's own state.
bool ends_session(std::string_view oauth_error);

}  // namespace cameleer::server
