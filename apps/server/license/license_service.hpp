#pragma once
#include <functional>

#include "server/audit/audit_service.hpp"
#include "server/license/license_gate.hpp"
#include "server/license/license_preview.hpp"
#include "server/license/license_sources.hpp"
#include "server/license/license_store.hpp"

namespace cameleer::server {

struct LicenseServiceSettings {
  std::string tenant_id;
  std::string token = {};        ///< `cameleer.server.license.token`; empty: none
  std::string file = {};         ///< `cameleer.server.license.file`; empty: none
  std::string zone = "Etc/UTC";  ///< whose 03:00 it is
  LicenseKeyRing keys = {};
};

/// The licence as the server sees it now.
struct LicenseView {
  LicenseGate::Snapshot standing;
  LicenseSource source = LicenseSource::none;
  std::optional<Instant> validated_at;
  std::optional<std::string> previous_license_id;
  bool clock_skewed = false;
  std::int64_t revocations_sequence = 0;  ///< 0: no list is installed
  std::int64_t days_remaining = -1;
};

/// The licence-changed event: state, limits, source or licence are others than before.
struct LicenseChange {
  LicenseGate::Snapshot before, after;
  LicenseSource source = LicenseSource::none;
};

/// `reason`: of a token that does not validate here.
struct LicenseFailure {
  Error error;
  std::optional<LicenseReason> reason = {};
  LicenseFailure(Error given, std::optional<LicenseReason> why = {}) : error(std::move(given)), reason(why) {}
};
template <class T>
using LicenseResult = std::expected<T, LicenseFailure>;

/// Finds the licence, judges it, and keeps the gate up to date: at the start, 60 s later, daily at 03:00 local time,
/// at the instants at which its state changes, when the file changes, and within 5 s of a change that another process
/// made. The audit log says each change once, whichever process sees it first. Never shows a token. I/O thread only.
class LicenseService {
 public:
  LicenseService(postgres::Pool& pool, async::WorkerPool& workers, AuditService& audit, LicenseGate& gate, Clock clock,
                 LicenseServiceSettings settings);

  using Observer = std::function<void(const LicenseChange&)>;
  void on_change(Observer observer) { observers_.push_back(std::move(observer)); }

  /// At the start, before anything is created.
  async::Task<Expected<void>> load();
  /// Does what is due. Without the database it goes on with what it knew.
  async::Task<Expected<void>> tick();
  /// When the next validation is due by the clock.
  [[nodiscard]] Instant next_validation() const;
  /// Ticks until the coroutine is cancelled.
  async::Task<> run();

  [[nodiscard]] LicenseView view() const;
  [[nodiscard]] const LicenseKeyRing& keys() const { return settings_.keys; }
  [[nodiscard]] Instant now() const { return clock_(); }

  /// Takes the place of the stored licence. `conflict` names the source that would shadow it; `license_rejected` leaves
  /// the licence in force as it is.
  async::Task<LicenseResult<LicenseView>> install(std::string token, AuditActor actor);
  /// Of the stored licence; that there is none is no error.
  async::Task<Expected<void>> remove(AuditActor actor);
  /// What installing would do; changes nothing.
  async::Task<Expected<LicensePreview>> preview(std::string token);
  /// `conflict`: its sequence is not higher than that of the list in force.
  async::Task<LicenseResult<LicenseRevocations>> install_revocations(std::string token, AuditActor actor);
  async::Task<Expected<LicenseCounts>> counts() { return store_.counts(); }

 private:
  using Verdict = std::optional<LicenseVerdict<LicenseInfo>>;
  async::Task<Expected<void>> validate();
  async::Task<Expected<void>> read_rows();
  async::Task<Expected<void>> tell_audit_log();
  async::Task<Expected<void>> look_at_database();
  async::Task<LicenseFailure> reject(LicenseRejection rejection, std::string_view what, AuditActor actor);
  void take(LicenseRows rows);
  [[nodiscard]] LicenseSource source() const;
  [[nodiscard]] Verdict judge(Instant now) const;
  [[nodiscard]] LicenseVerdict<LicenseInfo> judge(std::string_view token, Instant now) const;

  LicenseStore store_;
  AuditService& audit_;
  LicenseGate& gate_;
  Clock clock_;
  LicenseServiceSettings settings_;
  LicenseSources sources_;
  std::vector<Observer> observers_;

  LicenseRows rows_;  ///< as last read
  LicenseRevocations revocations_;
  std::string standing_text_;  ///< of the snapshot in the gate
  bool told_ = true;           ///< whether the audit log knows it
  bool stale_ = false;         ///< another process changed the rows, which could not be read yet
  Instant started_at_{}, noted_at_{};
  std::optional<Instant> validated_at_;
};

}  // namespace cameleer::server
