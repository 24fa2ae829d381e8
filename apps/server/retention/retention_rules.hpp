#pragma once
#include <array>
#include <cameleer/core/instant.hpp>
#include <cameleer/core/license.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How long telemetry is kept: pure rules. Telemetry beyond a lowered retention is hidden at once and deleted after a
/// delay, so that a licence renewed a day late loses nothing.
namespace cameleer::server {

/// Kinds of telemetry: each has its own days in an environment and its own cap in a licence. Agents' events are of the
/// kind `metric`.
enum class TelemetryKind : std::uint8_t { execution, log, metric };
inline constexpr std::array telemetry_kinds{TelemetryKind::execution, TelemetryKind::log, TelemetryKind::metric};
std::string_view name_of(TelemetryKind kind);
std::optional<TelemetryKind> telemetry_kind_named(std::string_view name);
LicenseLimit cap_of(TelemetryKind kind);

/// A value for each kind.
template <class T>
struct ByKind {
  std::array<T, telemetry_kinds.size()> values = {};
  T& operator[](TelemetryKind kind) { return values[static_cast<std::size_t>(kind)]; }
  const T& operator[](TelemetryKind kind) const { return values[static_cast<std::size_t>(kind)]; }
  bool operator==(const ByKind&) const = default;
};

/// What an administrator asked for in one environment; without a value the server's setting holds.
using WishedDays = ByKind<std::optional<std::int64_t>>;

/// Whose days they are: the environment's own, the licence's cap, which is lower, or the setting's.
enum class RetentionSource : std::uint8_t { environment, license, setting };
std::string_view name_of(RetentionSource source);  ///< the setting's is `default`

/// Days that readers see.
struct EffectiveDays {
  std::chrono::days days{};
  RetentionSource decided_by = RetentionSource::setting;
  bool operator==(const EffectiveDays&) const = default;
};

/// min(the environment's days, else the setting's; the licence's cap).
EffectiveDays effective_days(std::optional<std::int64_t> wished, std::chrono::days setting, std::int64_t cap);

/// Days that were in force until then, more than those that are.
struct EarlierDays {
  std::chrono::days days{};
  Instant until{};
  bool operator==(const EarlierDays&) const = default;
};

/// What one kind of one environment was and is kept for.
struct RetentionHistory {
  std::chrono::days days{};               ///< in force
  std::vector<EarlierDays> earlier = {};  ///< the longest, which ended first, in front; each lasts for the delay
  bool operator==(const RetentionHistory&) const = default;

  /// What the tables keep: the most days that were in force within the delay.
  [[nodiscard]] std::chrono::days stored_days() const { return earlier.empty() ? days : earlier.front().days; }
};

/// What becomes of it (none: it was never seen) when `days` are in force now.
RetentionHistory advance(std::optional<RetentionHistory> known, std::chrono::days days, Instant now,
                         std::chrono::days delay);

/// By what a table deletes: days by environment, as rows name it.
using RetentionClauses = std::map<std::string, std::chrono::days>;

/// `startsWith`-free text of a TTL over the column `time`: `<time> + toIntervalDay(30) WHERE environment IN ('a', 'b'),
/// …`, environments of equal days sharing a clause, in the engine's own spelling. Names are quoted; there must be some.
std::string ttl_of(const RetentionClauses& clauses, std::string_view time);

/// Whether some environment is to be kept for less than before, or was not told of before: what is stored does not
/// know of it yet.
bool shortens(const RetentionClauses& before, const RetentionClauses& after);

}  // namespace cameleer::server
