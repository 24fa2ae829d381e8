#pragma once
#include <cameleer/core/instant.hpp>
#include <cameleer/postgres/pool.hpp>

#include "server/audit/audit_service.hpp"

namespace cameleer::server {

/// When the provider is asked again; nothing: it gave no refresh token.
struct RefreshTimes {
  std::optional<Instant> refresh_after, expires_at;  ///< both or neither
};

/// A session whose tokens somebody just took to refresh them.
struct ClaimedSession {
  std::string sealed;
  std::string user_id, username, subject;
};

/// The provider's tokens beside the sessions that they began.
class ProviderSessionStore {
 public:
  ProviderSessionStore(postgres::Pool& pool, AuditService& audit) : pool_(pool), audit_(audit) {}

  async::Task<Expected<void>> insert(std::string session_hash, std::string sealed, RefreshTimes times);
  /// Nothing: the session is not of a provider, or has ended.
  async::Task<Expected<std::optional<RefreshTimes>>> find(std::string session_hash);
  async::Task<Expected<std::optional<std::string>>> find_sealed(std::string session_hash);

  /// Of all that ask at once, in all processes, one gets it, and until `until` nobody else.
  async::Task<Expected<std::optional<ClaimedSession>>> claim(std::string session_hash, Instant now, Instant until);
  /// Both end the claim.
  async::Task<Expected<void>> put_tokens(std::string session_hash, std::string sealed, RefreshTimes times);
  async::Task<Expected<void>> postpone(std::string session_hash, Instant refresh_after);

  /// Ends a session, with its entry.
  async::Task<Expected<void>> end(std::string session_hash, AuditEntry entry);
  /// Ends every session that no provider began, and every refresh token of a person; how many.
  async::Task<Expected<std::int64_t>> end_local(Instant now);

 private:
  postgres::Pool& pool_;
  AuditService& audit_;
};

}  // namespace cameleer::server
