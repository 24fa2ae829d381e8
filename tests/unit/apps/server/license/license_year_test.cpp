// A year of a licence, with a clock that jumps from one validation to the next.
#include <catch2/catch.hpp>

#include "license_on_loop.hpp"

namespace cameleer::test {
namespace {

using namespace std::chrono_literals;

TEST_CASE("over a year the state changes at the exact instants, once, with one event and one audit entry each") {
  LicenseOnLoop at;
  server::LicenseGate other_gate;
  auto licence = at.licence();
  licence.expires_at = licence.issued_at + std::chrono::days(200);
  licence.grace_period_days = 14;
  CHECK(at.install(at.vendor.token(licence)) == "ACTIVE");
  const auto other = at.start(other_gate);
  const auto users = [&] { return at.gate.limit(LicenseLimit::max_users); };
  CHECK(users() == 25);
  at.seen.clear();

  const auto end = at.now + std::chrono::days(365);
  int validations = 0;
  while (at.license->next_validation() < end) {
    // One millisecond too early nothing happens.
    at.now = at.license->next_validation() - 1ms;
    const auto before = at.license->view().validated_at;
    REQUIRE(at.run(at.license->tick()));
    REQUIRE(at.license->view().validated_at == before);
    at.now += 1ms;
    REQUIRE(at.run(at.license->tick()));
    REQUIRE(at.run(other->tick()));
    REQUIRE(at.license->view().validated_at == at.now);
    ++validations;
    REQUIRE(users() == (at.now <= licence.grace_ends_at() ? 25 : 3));
  }

  REQUIRE(at.seen.size() == 2);
  CHECK(at.seen[0].before == "ACTIVE");
  CHECK(at.seen[0].after == "GRACE");
  CHECK(at.seen[0].at == licence.expires_at + 1ms);
  CHECK(at.seen[1].before == "GRACE");
  CHECK(at.seen[1].after == "EXPIRED");
  CHECK(at.seen[1].at == licence.grace_ends_at() + 1ms);
  // Once a day, once after the start, once at each change.
  CHECK(validations >= 365 + 1);
  CHECK(validations <= 365 + 4);
  CHECK(other_gate.snapshot()->state == LicenseState::EXPIRED);
  CHECK(at.audited() == "install_license 1, revalidate_license 1, revalidate_license 1");
  CHECK(at.cell("select detail->>'before' || ' ' || (detail->>'state') from audit_log where action = "
                "'revalidate_license' order by id desc limit 1") == "GRACE EXPIRED");
}

TEST_CASE("a process that was down at the change finds it at its start, and says it once") {
  LicenseOnLoop at;
  auto licence = at.licence();
  CHECK(at.install(at.vendor.token(licence)) == "ACTIVE");
  at.now = licence.expires_at + 1h;
  server::LicenseGate first, second;
  const auto one = at.start(first), two = at.start(second);
  CHECK(first.snapshot()->state == LicenseState::EXPIRED);
  CHECK(first.limit(LicenseLimit::max_users) == 3);
  CHECK(at.audited() == "install_license 1, revalidate_license 1");
}

TEST_CASE("days are counted down to the end and stay 0 after it") {
  LicenseOnLoop at;
  CHECK(at.license->view().days_remaining == -1);
  auto licence = at.licence();
  licence.grace_period_days = 5;
  CHECK(at.install(at.vendor.token(licence)) == "ACTIVE");
  CHECK(at.license->view().days_remaining == 365);
  at.now += 1ms;
  CHECK(at.license->view().days_remaining == 364);
  at.now = licence.expires_at + 1ms;
  REQUIRE(at.run(at.license->tick()));
  CHECK(at.license->view().days_remaining == 0);
}

}  // namespace
}  // namespace cameleer::test
