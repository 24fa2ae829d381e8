#pragma once
#include <array>
#include <cameleer/core/error.hpp>
#include <cameleer/core/instant.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cameleer {

/// What a licence caps: a closed set. Names (`name_of`) are the keys of `limits` in a licence, the `limit` of a refusal
/// and the label of `cameleer_license_cap_rejections_total`: a value may be added, never renamed.
enum class LicenseLimit : std::uint8_t {
  max_environments,
  max_apps,
  max_agents,
  max_users,
  max_outbound_connections,
  max_alert_rules,
  max_total_cpu_millis,  ///< thousandths of a core
  max_total_memory_mb,   ///< MiB
  max_total_replicas,
  max_execution_retention_days,
  max_log_retention_days,
  max_metric_retention_days,
  max_jar_retention_count,
};
inline constexpr std::size_t license_limit_count = 13;
/// 2^53 - 1: what every JSON reader holds exactly.
inline constexpr std::int64_t largest_license_limit = 9'007'199'254'740'991;

/// All limits, in the order of the enum.
std::span<const LicenseLimit> license_limits();
std::string_view name_of(LicenseLimit limit);
std::optional<LicenseLimit> license_limit_named(std::string_view name);

/// The plans of the price list. `none` is what holds without a licence, and for every limit that a licence leaves out.
enum class LicenseTier : std::uint8_t { none, starter, team, business, enterprise };
std::string_view name_of(LicenseTier tier);
std::optional<LicenseTier> license_tier_named(std::string_view name);
std::int64_t tier_limit(LicenseTier tier, LicenseLimit limit);

/// One value per limit, or none where nobody said one. Values are ≥ 0.
class LicenseLimits {
 public:
  std::optional<std::int64_t> operator[](LicenseLimit limit) const { return values_[static_cast<std::size_t>(limit)]; }
  void set(LicenseLimit limit, std::int64_t value) { values_[static_cast<std::size_t>(limit)] = value; }
  bool operator==(const LicenseLimits&) const = default;

 private:
  std::array<std::optional<std::int64_t>, license_limit_count> values_{};
};

inline constexpr std::int64_t longest_grace_days = 3'650;

/// What a licence says. Instants are written with whole seconds.
struct LicenseInfo {
  std::string license_id;  ///< a UUID in lower case, new for each renewal
  std::string tenant_id;
  std::string label;  ///< for people, 1 to 200 bytes
  LicenseLimits limits = {};
  Instant issued_at = {};
  Instant expires_at = {};
  std::int64_t grace_period_days = 0;
  std::optional<std::string> tier = {};    ///< a word for people; the limits decide; 1 to 64 bytes
  std::optional<std::string> key_id = {};  ///< the key that signed: `is_license_key_id`
  std::vector<std::string> features = {};  ///< at most 64 of 1 to 64 bytes
  /// The last instant of the grace period; `expires_at` when there is none.
  [[nodiscard]] Instant grace_ends_at() const { return expires_at + std::chrono::days(grace_period_days); }
  bool operator==(const LicenseInfo&) const = default;
};

/// The rules of the values above, for who makes licences and for who reads them: invalid_member with a JSON pointer.
Expected<void> check_license(const LicenseInfo& license);
/// 1 to 64 letters, digits, `.`, `_` or `-`.
bool is_license_key_id(std::string_view text);
/// A UUID as text, in either case.
bool is_license_id(std::string_view text);

/// The bytes that are signed: JSON with sorted keys at every level and no white space, instants as
/// `2027-04-26T23:59:59Z`; optional members that are not set (and an empty `features`) are left out.
std::string canonical_payload(const LicenseInfo& license);

}  // namespace cameleer
