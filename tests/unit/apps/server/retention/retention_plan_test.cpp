#include "server/retention/retention_plan.hpp"

#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::server;
using std::chrono::days;
using Kind = TelemetryKind;

namespace {

constexpr auto kNow = Instant(std::chrono::milliseconds(1'800'000'000'000));
constexpr days kDelay{7};

// A gate with these caps on executions, logs and metrics.
LicenseGate gate_of(std::int64_t executions, std::int64_t logs, std::int64_t metrics) {
  LicenseStanding standing;
  standing.limits.values[static_cast<std::size_t>(LicenseLimit::max_execution_retention_days)] = executions;
  standing.limits.values[static_cast<std::size_t>(LicenseLimit::max_log_retention_days)] = logs;
  standing.limits.values[static_cast<std::size_t>(LicenseLimit::max_metric_retention_days)] = metrics;
  LicenseGate gate;
  gate.set(std::make_shared<const LicenseStanding>(standing));
  return gate;
}

RetainedEnvironment environment(std::string name, std::optional<std::int64_t> wished_executions = {}) {
  RetainedEnvironment one{.id = "id-" + name, .data_name = std::move(name)};
  one.wished[Kind::execution] = wished_executions;
  return one;
}

// As the next look finds it.
void write_down(std::vector<RetainedEnvironment>& environments, const RetentionPlan& plan) {
  for (const auto& change : plan.changes) {
    for (auto& one : environments) {
      if (one.id == change.environment_id) one.known[change.kind] = change.history;
    }
  }
}

}  // namespace

TEST_CASE("each kind of each environment has its own days") {
  const auto gate = gate_of(365, 7, 20);
  const RetentionPolicy policy(gate, days(30));
  std::vector environments{environment("default"), environment("staging", 14)};
  const auto plan = plan_retention(environments, policy, kNow, kDelay);
  CHECK(plan.clauses[Kind::execution] == RetentionClauses{{"default", days(30)}, {"staging", days(14)}});
  CHECK(plan.clauses[Kind::log] == RetentionClauses{{"default", days(7)}, {"staging", days(7)}});
  CHECK(plan.clauses[Kind::metric] == RetentionClauses{{"default", days(20)}, {"staging", days(20)}});
  CHECK(plan.changes.size() == 6);
  CHECK(plan.waiting == 0);

  write_down(environments, plan);
  CHECK(plan_retention(environments, policy, kNow + days(400), kDelay).changes.empty());
}

TEST_CASE("a licence that ends hides at once and deletes later; a renewal in time loses nothing") {
  auto gate = gate_of(365, 90, 90);
  const RetentionPolicy policy(gate, days(30));
  std::vector environments{environment("default")};
  write_down(environments, plan_retention(environments, policy, kNow, kDelay));

  gate = gate_of(1, 1, 1);
  const auto ended = plan_retention(environments, policy, kNow, kDelay);
  CHECK(policy.effective({})[Kind::execution].days == days(1));
  CHECK(ended.clauses[Kind::execution] == RetentionClauses{{"default", days(30)}});
  CHECK(ended.waiting == 3);
  write_down(environments, ended);
  CHECK(plan_retention(environments, policy, kNow + days(6), kDelay).changes.empty());
  const auto due = plan_retention(environments, policy, kNow + days(7), kDelay);
  CHECK(due.clauses[Kind::execution] == RetentionClauses{{"default", days(1)}});
  CHECK(due.changes.size() == 3);
  CHECK(due.waiting == 0);

  gate = gate_of(365, 90, 90);
  const auto renewed = plan_retention(environments, policy, kNow + days(6), kDelay);
  CHECK(renewed.clauses[Kind::execution] == RetentionClauses{{"default", days(30)}});
  CHECK(renewed.waiting == 0);
  write_down(environments, renewed);
  CHECK(plan_retention(environments, policy, kNow + days(60), kDelay).clauses[Kind::execution] ==
        RetentionClauses{{"default", days(30)}});
}

TEST_CASE("an environment that is gone has no clause, one that is new has one") {
  const auto gate = gate_of(365, 90, 90);
  const RetentionPolicy policy(gate, days(30));
  std::vector environments{environment("default"), environment("old", 5)};
  write_down(environments, plan_retention(environments, policy, kNow, kDelay));
  environments.back() = environment("old~1", 50);
  const auto plan = plan_retention(environments, policy, kNow, kDelay);
  CHECK(plan.clauses[Kind::execution] == RetentionClauses{{"default", days(30)}, {"old~1", days(50)}});
  CHECK(plan.changes.size() == 3);
}
