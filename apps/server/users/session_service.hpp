#pragma once
#include "server/auth/auth_service.hpp"
#include "server/users/account_store.hpp"

namespace cameleer::server {

struct SessionDetails {
  std::string id;  ///< the first half of the session's hash
  Instant created_at{}, last_seen_at{}, expires_at{};
  std::string remote_address, user_agent;
  bool current = false;  ///< the one that the request came with
};

/// The sessions of browsers. Who ends all of somebody's also ends the tokens; one's own present session stays. At once
/// here, within 5 s in other processes. I/O thread only.
class SessionService {
 public:
  SessionService(postgres::Pool& pool, AuthService& auth, AuditService& audit, Clock clock,
                 std::chrono::minutes session_idle)
      : pool_(pool), auth_(auth), audit_(audit), clock_(std::move(clock)), session_idle_(session_idle) {}

  /// Those that have not ended, the latest seen first, at most 1,000.
  async::Task<Expected<std::vector<SessionDetails>>> list(Caller caller, std::string user);
  /// `session_not_found`.
  async::Task<Expected<void>> end(Caller caller, std::string user, std::string session_id);
  async::Task<Expected<void>> end_all(Caller caller, std::string user);

 private:
  postgres::Pool& pool_;
  AuthService& auth_;
  AuditService& audit_;
  Clock clock_;
  std::chrono::minutes session_idle_;
};

}  // namespace cameleer::server
