#include <cameleer/core/license_state.hpp>
#include <catch2/catch.hpp>

#include "license_fixture.hpp"

using namespace cameleer;
using namespace cameleer::licensing_test;

namespace {

using enum LicenseLimit;
constexpr auto kTick = std::chrono::milliseconds(1);

LicenseInfo licence(std::int64_t grace_days) {
  LicenseInfo info{.license_id = std::string(license_id), .tenant_id = "acme", .label = "Acme Team"};
  info.issued_at = at("2026-04-26T16:33:12Z");
  info.expires_at = at("2027-04-26T23:59:59Z");
  info.grace_period_days = grace_days;
  info.limits.set(max_apps, 50);
  info.limits.set(max_users, 0);
  return info;
}

LicenseStanding standing(const LicenseInfo& info, Instant now) {
  return standing_of(LicenseVerdict<LicenseInfo>(info), now);
}
LicenseStanding rejected(LicenseReason reason, std::string message) {
  return standing_of(
      LicenseVerdict<LicenseInfo>(std::unexpected(LicenseRejection{.reason = reason, .message = std::move(message)})),
      at("2026-11-22T00:00:00Z"));
}

void check_default_limits(const LicenseStanding& standing) {
  for (const auto limit : license_limits()) {
    CHECK(standing.limits[limit] == tier_limit(LicenseTier::none, limit));
    CHECK_FALSE(standing.limits.is_licensed(limit));
  }
}

}  // namespace

TEST_CASE("a licence goes from ACTIVE over GRACE to EXPIRED at the exact instants, and its caps with it") {
  const auto info = licence(14);
  const auto expires = at("2027-04-26T23:59:59Z"), ends = at("2027-05-10T23:59:59Z");
  struct Row {
    Instant now;
    const char* state;
    std::int64_t apps, days;
    std::optional<Instant> changes_at;
  };
  const Row rows[] = {
      {info.issued_at, "ACTIVE", 50, 365, expires + kTick},
      {expires - std::chrono::days(30), "ACTIVE", 50, 30, expires + kTick},
      {expires - std::chrono::days(30) + kTick, "ACTIVE", 50, 29, expires + kTick},
      {expires - std::chrono::days(1), "ACTIVE", 50, 1, expires + kTick},
      {expires - std::chrono::hours(1), "ACTIVE", 50, 0, expires + kTick},
      {expires, "ACTIVE", 50, 0, expires + kTick},
      {expires + kTick, "GRACE", 50, 0, ends + kTick},
      {expires + std::chrono::days(7), "GRACE", 50, 0, ends + kTick},
      {ends, "GRACE", 50, 0, ends + kTick},
      {ends + kTick, "EXPIRED", 3, 0, std::nullopt},
      {ends + std::chrono::days(1'000), "EXPIRED", 3, 0, std::nullopt},
  };
  for (const auto& row : rows) {
    CAPTURE(format_instant(row.now));
    const auto seen = standing(info, row.now);
    CHECK(name_of(seen.state) == row.state);
    CHECK(seen.limits[max_apps] == row.apps);
    CHECK(seen.limits.is_licensed(max_apps) == (row.apps == 50));
    CHECK(seen.days_remaining == row.days);
    CHECK(seen.changes_at == row.changes_at);
    CHECK(seen.license == info);
    CHECK(seen.rejection.has_value() == (row.apps == 3));
  }
}

TEST_CASE("without grace a licence expires in the next millisecond") {
  const auto info = licence(0);
  CHECK(name_of(standing(info, info.expires_at).state) == "ACTIVE");
  const auto after = standing(info, info.expires_at + kTick);
  CHECK(name_of(after.state) == "EXPIRED");
  CHECK(after.rejection->reason == LicenseReason::EXPIRED);
  check_default_limits(after);
}

TEST_CASE("each instant at which the state changes leads to the next, over a year and a half") {
  const auto info = licence(14);
  std::vector<std::string> states;
  std::optional<Instant> now = info.issued_at;
  while (now) {
    const auto seen = standing(info, *now);
    states.emplace_back(name_of(seen.state));
    if (seen.changes_at) CHECK(standing(info, *seen.changes_at - kTick).state == seen.state);
    now = seen.changes_at;
  }
  CHECK(states == std::vector<std::string>{"ACTIVE", "GRACE", "EXPIRED"});
}

TEST_CASE("what a validator calls EXPIRED stands as it does when it expires in place") {
  const SigningKey vendor('v');
  const auto keys = ring_of({vendor.public_key()});
  const auto now = at("2027-06-01T00:00:00Z");
  const auto token = vendor.token(canonical_payload(licence(14)));
  const auto late = standing_of(validated(token, keys, now), now);
  const auto in_place = standing_of(validated(token, keys), now);
  CHECK(late.state == LicenseState::EXPIRED);
  CHECK(in_place.state == LicenseState::EXPIRED);
  CHECK(late.rejection == in_place.rejection);
  CHECK(late.license == in_place.license);
  CHECK(late.rejection->message == "The licence expired on 2027-04-26, and its grace period of 14 days is over.");
}

TEST_CASE("the licence's limits hold where it says one, the default tier's elsewhere") {
  const auto limits = standing(licence(0), at("2026-11-22T00:00:00Z")).limits;
  for (const auto limit : license_limits()) {
    CAPTURE(name_of(limit));
    CHECK(limits.is_licensed(limit) == (limit == max_apps || limit == max_users));
    const auto expected = limit == max_apps ? 50 : limit == max_users ? 0 : tier_limit(LicenseTier::none, limit);
    CHECK(limits[limit] == expected);
  }
}

TEST_CASE("no token is ABSENT, a rejected one INVALID, and both leave the default tier") {
  const auto absent = standing_of({}, at("2026-11-22T00:00:00Z"));
  CHECK(name_of(absent.state) == "ABSENT");
  CHECK_FALSE(absent.rejection.has_value());
  CHECK(absent.days_remaining == -1);
  CHECK_FALSE(absent.changes_at.has_value());
  check_default_limits(absent);
  using enum LicenseReason;
  for (const auto reason : {MALFORMED, BAD_SIGNATURE, UNKNOWN_KEY, TENANT_MISMATCH, MISSING_MEMBER, UNKNOWN_LIMIT,
                            BAD_VALUE, NOT_YET_VALID, REVOKED}) {
    CAPTURE(name_of(reason));
    const auto invalid = rejected(reason, "Because.");
    CHECK(name_of(invalid.state) == "INVALID");
    CHECK(invalid.rejection->reason == reason);
    CHECK(invalid.days_remaining == -1);
    CHECK_FALSE(invalid.license.has_value());
    check_default_limits(invalid);
  }
}

TEST_CASE("a licence of the future is to be looked at when it begins to count") {
  const SigningKey vendor('v');
  const auto keys = ring_of({vendor.public_key()});
  const auto token = vendor.token(json_of(payload()));
  const auto before = at("2026-01-01T00:00:00Z");
  const auto standing = standing_of(validated(token, keys, before), before);
  CHECK(standing.state == LicenseState::INVALID);
  REQUIRE(standing.changes_at.has_value());
  CHECK_FALSE(validated(token, keys, *standing.changes_at - kTick).has_value());
  CHECK(validated(token, keys, *standing.changes_at).has_value());
}

TEST_CASE("a refusal says how many there are, why so few, and what to do") {
  const auto info = licence(14);
  const auto expires = info.expires_at;
  const auto say = [&](Instant now) { return cap_message(standing(info, now), max_apps, 50, now); };
  CHECK(say(expires - std::chrono::days(30)) ==
        "50 of 50 apps are in use. The licence \"Acme Team\" is valid for 30 days more; a licence with a higher "
        "max_apps raises the limit.");
  CHECK(say(expires - std::chrono::hours(47)) ==
        "50 of 50 apps are in use. The licence \"Acme Team\" is valid for 1 day more; a licence with a higher max_apps "
        "raises the limit.");
  CHECK(say(expires + std::chrono::hours(1)) ==
        "50 of 50 apps are in use. The licence \"Acme Team\" expired less than a day ago and counts for 13 days more: "
        "install its renewal.");
  CHECK(say(expires + std::chrono::hours(14 * 24 - 1)) ==
        "50 of 50 apps are in use. The licence \"Acme Team\" expired 13 days ago and counts for less than a day more: "
        "install its renewal.");
  CHECK(say(expires + std::chrono::days(17)) ==
        "50 of 3 apps are in use. The licence \"Acme Team\" expired 17 days ago, so the default limits hold: install "
        "its renewal.");
  CHECK(cap_message(standing_of({}, expires), max_total_cpu_millis, 1500, expires) ==
        "1500 of 2000 thousandths of a CPU core are in use. No licence is installed, so the default limits hold: "
        "install one to raise them.");
  CHECK(cap_message(rejected(LicenseReason::REVOKED, "The vendor revoked it."), max_environments, 1, expires) ==
        "1 of 1 environments are in use. The licence is rejected (REVOKED), so the default limits hold: install a "
        "valid one. The vendor revoked it.");
}

TEST_CASE("every limit has words of its own") {
  std::map<std::string, int> seen;
  const auto now = at("2026-11-22T00:00:00Z");
  for (const auto limit : license_limits()) ++seen[cap_message(standing_of({}, now), limit, 0, now)];
  CHECK(seen.size() == license_limit_count);
}

TEST_CASE("a clock that was set back by more than a day is noticed") {
  const auto seen = at("2026-11-22T12:00:00Z");
  CHECK_FALSE(clock_skewed(seen, seen));
  CHECK_FALSE(clock_skewed(seen + std::chrono::days(400), seen));
  CHECK_FALSE(clock_skewed(seen - std::chrono::hours(24), seen));
  CHECK(clock_skewed(seen - std::chrono::hours(24) - kTick, seen));
}
