#pragma once
#include <functional>

#include "server/audit/audit_store.hpp"

namespace cameleer::server {

/// What the chain says about the log.
struct AuditVerification {
  struct Broken {
    std::int64_t position = 0;
    std::string reason;
  };
  std::int64_t sealed = 0;    ///< length of the chain
  std::int64_t unsealed = 0;  ///< the rows of the last seconds
  std::optional<Broken> first_broken = {};
  std::optional<AuditHead> head = {};  ///< the end of the chain, signed now; none: nothing is sealed
  [[nodiscard]] bool ok() const { return !first_broken; }
};

/// Reads the audit log, seals it and checks the seals. Of several processes one seals at a time. I/O thread only.
class AuditLedger {
 public:
  AuditLedger(postgres::Pool& pool, AuditKey key, Clock clock);

  [[nodiscard]] AuditStore& rows() { return store_; }
  [[nodiscard]] const AuditKey& key() const { return key_; }

  /// Chains what can be chained; the number of rows.
  async::Task<Expected<std::size_t>> seal();
  /// A head when the last is older than that and the chain grew.
  async::Task<Expected<std::optional<AuditHead>>> sign(std::chrono::milliseconds age);
  /// The end of the chain at that row, signed now, for an export.
  [[nodiscard]] AuditHead signed_end(std::int64_t position, std::string hash) const;
  /// Walks the whole chain.
  async::Task<Expected<AuditVerification>> verify();

  using OnHead = std::function<void(const AuditHead& head, std::string_view public_key)>;
  /// Seals every second and signs every hour until the coroutine is cancelled. A failure is tried again.
  async::Task<> run(OnHead on_head);
  /// Seals and signs what there is: at the end of a process.
  async::Task<> finish(OnHead on_head);

 private:
  async::Task<Expected<std::optional<AuditVerification::Broken>>> walk(std::int64_t end, std::string end_hash);
  async::Task<Expected<std::optional<AuditVerification::Broken>>> check_heads();

  AuditStore store_;
  AuditKey key_;
  Clock clock_;
};

}  // namespace cameleer::server
