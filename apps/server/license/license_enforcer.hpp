#pragma once
#include <cameleer/web/message.hpp>

#include "server/license/license_gate.hpp"
#include "server/license/license_refusals.hpp"

namespace cameleer::server {

/// The one place where caps stop a creation. What runs is never touched.
///
///     auto allowed = co_await caps.check(*transaction, LicenseLimit::max_users, actor);
///     if (!allowed) co_return std::unexpected(allowed.error());
///
/// I/O thread only.
class LicenseEnforcer {
 public:
  LicenseEnforcer(const LicenseGate& gate, AuditService& audit, Clock clock)
      : gate_(gate), clock_(clock), refusals_(audit, std::move(clock)) {}

  /// Whether one more may be created. In the creating transaction, before the insert: creators of the same kind take
  /// turns from here until the transaction ends, over all processes of the tenant, so what was counted still holds at
  /// the commit. `license_cap_exceeded` otherwise, counted and audited; the transaction must then end without a commit.
  async::Task<Expected<void>> check(postgres::Transaction& transaction, LicenseLimit limit, AuditActor actor);
  /// Before work that costs something: refuses when there is no room as things stand. No promise that `check` will not.
  async::Task<Expected<void>> check_early(postgres::Pool& pool, LicenseLimit limit, AuditActor actor);
  /// Only the turn, for who must look once more whether there is anything to create. May be taken twice.
  async::Task<Expected<void>> take_turn(postgres::Transaction& transaction, LicenseLimit limit);

  /// The answer to an error: the problem document; that of a refusal has the envelope's members as well, with the
  /// figures of the last refusal of its limit.
  [[nodiscard]] web::Response problem(const Error& error, std::string_view request_id) const;

  /// Writes what the audit log gets by the minute, until the coroutine is cancelled.
  async::Task<> run();

  [[nodiscard]] const LicenseGate& gate() const { return gate_; }
  [[nodiscard]] LicenseRefusals& refusals() { return refusals_; }
  [[nodiscard]] const LicenseRefusals& refusals() const { return refusals_; }

 private:
  Expected<void> judge(LicenseLimit limit, std::int64_t current, AuditActor actor);

  const LicenseGate& gate_;
  Clock clock_;
  LicenseRefusals refusals_;
};

/// The answer without or with an enforcer.
web::Response problem_of(const LicenseEnforcer* caps, const Error& error, std::string_view request_id);

}  // namespace cameleer::server
