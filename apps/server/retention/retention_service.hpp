#pragma once
#include <functional>

#include "server/retention/retention_store.hpp"
#include "server/retention/retention_tables.hpp"
#include "server/telemetry/health.hpp"

namespace cameleer::server {

/// For the log: a table that deletes by other clauses now, or does not.
struct RetentionEvent {
  std::string_view table;  ///< empty: the tables could not be looked at
  std::chrono::milliseconds took{};
  const clickhouse::EngineError* refusal = nullptr;  ///< null: done
};

/// Deletes what is kept for longer than it is to be: has the tables delete by themselves, by clauses that follow
/// environments, settings and licence, a lowered retention after its delay. Readers do not wait for it. Looks every two
/// seconds, and at once when told; truth is rows, so that a restart and a second process go on where one was. Only
/// tables of the tenant's own database are touched, and only their metadata. I/O thread only; pool, engine and policy
/// outlive it.
class RetentionService {
 public:
  RetentionService(async::Executor executor, postgres::Pool& pool, clickhouse::Client& engine,
                   const RetentionPolicy& policy, Clock clock, std::chrono::days delay);

  using Observer = std::function<void(const RetentionEvent&)>;
  void on_event(Observer observer) { observer_ = std::move(observer); }

  /// Does what is due. An engine that refuses is asked again later: it is no failure here.
  async::Task<Expected<void>> tick();
  /// Ticks until the coroutine is cancelled.
  async::Task<> run();
  /// Something changed: `run` looks now.
  void look();

  /// Since when the tables keep all telemetry of an environment, as of the last look; none: not known.
  [[nodiscard]] std::optional<Instant> stored_since(TelemetryKind kind, std::string_view data_name) const;
  /// After how long the tables delete, as far as they are known to; none: they do not, or it is not known. Less than
  /// what holds for as long as a raised retention has not reached them.
  [[nodiscard]] std::optional<std::chrono::days> deleted_after(TelemetryKind kind, std::string_view data_name) const;
  [[nodiscard]] std::vector<HealthWarning> warnings() const;

  struct Figures {
    std::size_t waiting = 0;  ///< lowered and not yet deleted, as of the last look
    std::uint64_t changes = 0, refusals = 0;
  };
  [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
  [[nodiscard]] bool is_due(const RetentionPlan& plan) const;
  async::Task<Expected<void>> work();
  async::Task<> bring_in_line(RetentionPlan plan);
  void note(std::string_view table, Instant began, const clickhouse::Outcome<void>& outcome);

  RetentionStore store_;
  RetentionTables tables_;
  const RetentionPolicy& policy_;
  Clock clock_;
  std::chrono::days delay_;
  Observer observer_;
  async::SteadyTimer pause_;
  bool told_ = false;

  ByKind<RetentionClauses> clauses_;  ///< of the last look
  std::optional<ByKind<RetentionClauses>> applied_;
  Instant next_check_{};  ///< others may have changed the tables
  std::optional<Instant> refused_since_;
  Instant retry_at_{};
  unsigned refused_in_turn_ = 0;
  Figures figures_;
};

}  // namespace cameleer::server
