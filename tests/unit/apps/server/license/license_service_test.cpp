#include <catch2/catch.hpp>
#include <fstream>

#include "../../../temporary_folder.hpp"
#include "license_on_loop.hpp"

namespace cameleer::test {
namespace {

using namespace std::chrono_literals;

TEST_CASE("without a licence the default tier holds, calmly") {
  LicenseOnLoop at;
  CHECK(at.state() == "ABSENT");
  CHECK(at.gate.limit(LicenseLimit::max_users) == 3);
  CHECK(at.gate.limit(LicenseLimit::max_environments) == 1);
  CHECK(at.license->view().source == server::LicenseSource::none);
  CHECK(at.audited().empty());
  CHECK(at.seen.empty());
}

TEST_CASE("installing, replacing and removing are told to the audit log and to those who listen") {
  LicenseOnLoop at;
  CHECK(at.install(at.vendor.token(at.licence(1))) == "ACTIVE");
  CHECK(at.install(at.vendor.token(at.licence(2))) == "ACTIVE");
  CHECK(at.license->view().previous_license_id.value_or("") == license_id(1));
  REQUIRE(at.run(at.license->remove({.username = "ada"})));
  REQUIRE(at.run(at.license->remove({.username = "ada"})));
  CHECK(at.state() == "ABSENT");
  CHECK(at.audited() == "install_license 1, replace_license 2, remove_license 2");
  CHECK(at.cell("select detail->>'previousLicenseId' from audit_log where action = 'replace_license'") ==
        license_id(1));
  REQUIRE(at.seen.size() == 3);
  CHECK(at.seen[2].before == "ACTIVE");
  CHECK(at.seen[2].after == "ABSENT");
}

TEST_CASE("a token that does not validate changes nothing but the audit log") {
  LicenseOnLoop at;
  CHECK(at.install(at.vendor.token(at.licence(1))) == "ACTIVE");
  auto foreign = at.licence(2);
  foreign.tenant_id = "other";
  CHECK(at.install(at.vendor.token(foreign)) == "TENANT_MISMATCH");
  auto old = at.licence(3);
  old.issued_at -= std::chrono::days(400);
  old.expires_at = old.issued_at + std::chrono::days(30);
  CHECK(at.install(at.vendor.token(old)) == "EXPIRED");
  CHECK(at.install(Vendor().token(at.licence(4))) == "BAD_SIGNATURE");
  CHECK(at.install("garbage") == "MALFORMED");
  CHECK(at.state() == "ACTIVE");
  CHECK(at.license->view().standing->license->license_id == license_id(1));
  CHECK(at.cell("select string_agg(detail->>'reason', ' ' order by id) from audit_log where action = "
                "'reject_license' and result = 'FAILURE'") == "TENANT_MISMATCH EXPIRED BAD_SIGNATURE MALFORMED");
}

TEST_CASE("the highest source decides alone, and shadows what is below it") {
  LicenseOnLoop at;
  CHECK(at.install(at.vendor.token(at.licence(1))) == "ACTIVE");
  server::LicenseGate gate;
  const auto broken = at.start(gate, "garbage");
  CHECK(gate.snapshot()->state == LicenseState::INVALID);
  CHECK(broken->view().source == server::LicenseSource::environment);
  CHECK(gate.limit(LicenseLimit::max_users) == 3);
  auto refused = at.run(broken->install(at.vendor.token(at.licence(2)), {.username = "ada"}));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().error.code == ErrorCode::conflict);
  CHECK(refused.error().error.message.find("environment") != std::string::npos);
}

TEST_CASE("the file is taken when it was so for two looks, and its end hands over to the next source") {
  LicenseOnLoop at;
  const TemporaryFolder folder;
  const auto path = (folder.path / "license.jwt").string();
  CHECK(at.install(at.vendor.token(at.licence(1))) == "ACTIVE");
  server::LicenseGate gate;
  const auto process = at.start(gate, "", path);
  const auto look = [&] { REQUIRE(at.run(process->tick())); };
  const auto id = [&] { return gate.snapshot()->license ? gate.snapshot()->license->license_id : ""; };
  CHECK(id() == license_id(1));

  std::ofstream(path) << at.vendor.token(at.licence(2)) << '\n';
  look();
  CHECK(id() == license_id(1));
  look();
  CHECK(id() == license_id(2));
  CHECK(process->view().source == server::LicenseSource::file);

  // Somebody writes it slowly: the half is never taken.
  const auto next = at.vendor.token(at.licence(3));
  std::ofstream(path) << next.substr(0, 40);
  look();
  std::ofstream(path) << next;
  look();
  CHECK(id() == license_id(2));
  look();
  CHECK(id() == license_id(3));

  std::ofstream(path) << "garbage";
  look();
  look();
  CHECK(gate.snapshot()->state == LicenseState::INVALID);
  std::filesystem::remove(path);
  look();
  look();
  CHECK(id() == license_id(1));
  CHECK(process->view().source == server::LicenseSource::database);
}

TEST_CASE("another process sees a changed licence at its next look") {
  LicenseOnLoop at;
  server::LicenseGate gate;
  const auto other = at.start(gate);
  CHECK(at.install(at.vendor.token(at.licence(1))) == "ACTIVE");
  REQUIRE(at.run(other->tick()));
  CHECK(gate.snapshot()->state == LicenseState::ACTIVE);
  REQUIRE(at.run(other->remove({.username = "ada"})));
  REQUIRE(at.run(at.license->tick()));
  CHECK(at.state() == "ABSENT");
  CHECK(at.audited() == "install_license 1, remove_license 1");
}

TEST_CASE("a revoked licence counts no more, and only a higher sequence takes a list's place") {
  LicenseOnLoop at;
  CHECK(at.install(at.vendor.token(at.licence(1))) == "ACTIVE");
  const auto list = [&](std::int64_t sequence, std::vector<std::string> ids) {
    return at.vendor.token(
        LicenseRevocations{.sequence = sequence, .issued_at = at.now, .license_ids = std::move(ids)});
  };
  const auto put = [&](std::string token) {
    auto result = at.run(at.license->install_revocations(std::move(token), {.username = "ada"}));
    return result ? "taken" : std::string(name_of(result.error().error.code));
  };
  CHECK(put(list(2, {license_id(1)})) == "taken");
  CHECK(at.state() == "INVALID");
  CHECK(at.gate.snapshot()->rejection->reason == LicenseReason::REVOKED);
  CHECK(at.install(at.vendor.token(at.licence(1))) == "REVOKED");
  CHECK(put(list(2, {})) == "conflict");
  CHECK(put(list(1, {})) == "conflict");
  CHECK(put(at.vendor.token(at.licence(1))) == "license_rejected");
  CHECK(at.state() == "INVALID");
  CHECK(at.install(at.vendor.token(at.licence(2))) == "ACTIVE");
  // A new start keeps the list.
  server::LicenseGate gate;
  const auto again = at.start(gate, at.vendor.token(at.licence(1)));
  CHECK(gate.snapshot()->state == LicenseState::INVALID);
  CHECK(again->view().revocations_sequence == 2);
}

TEST_CASE("what was revoked stays revoked when the key that signed the list leaves the ring") {
  LicenseOnLoop at;
  const Vendor next;
  REQUIRE(at.run(at.license->install_revocations(
      at.vendor.token(LicenseRevocations{.sequence = 1, .issued_at = at.now, .license_ids = {license_id(1)}}),
      {.username = "ada"})));
  server::LicenseGate gate;
  const auto later = at.start(gate, next.token(at.licence(1)), "", &next);
  CHECK(gate.snapshot()->rejection->reason == LicenseReason::REVOKED);
  CHECK(later->view().revocations_sequence == 1);
}

TEST_CASE("a clock that was turned back is told, and revocations go on counting") {
  LicenseOnLoop at;
  const auto list =
      at.vendor.token(LicenseRevocations{.sequence = 1, .issued_at = at.now, .license_ids = {license_id(1)}});
  REQUIRE(at.run(at.license->install_revocations(list, {.username = "ada"})));
  at.now += 1h;
  REQUIRE(at.run(at.license->tick()));
  CHECK_FALSE(at.license->view().clock_skewed);
  at.now -= std::chrono::hours(26);
  CHECK(at.license->view().clock_skewed);
  auto licence = at.licence(1);
  licence.issued_at -= std::chrono::days(1);
  server::LicenseGate gate;
  const auto again = at.start(gate, at.vendor.token(licence));
  CHECK(again->view().clock_skewed);
  CHECK(gate.snapshot()->rejection->reason == LicenseReason::REVOKED);
}

TEST_CASE("a preview says what would rise, fall and be exceeded, and changes nothing") {
  LicenseOnLoop at;
  CHECK(at.install(at.vendor.token(at.licence(1))) == "ACTIVE");
  at.make_admin();
  auto smaller = at.licence(2);
  smaller.limits = {};
  smaller.limits.set(LicenseLimit::max_users, 0);
  smaller.limits.set(LicenseLimit::max_apps, 10);
  smaller.limits.set(LicenseLimit::max_log_retention_days, 0);
  auto preview = at.run(at.license->preview(at.vendor.token(smaller)));
  REQUIRE(preview);
  CHECK(preview->standing.state == LicenseState::ACTIVE);
  REQUIRE(preview->rises.size() == 1);
  CHECK(preview->rises[0].limit == LicenseLimit::max_apps);
  CHECK(preview->rises[0].from == 3);
  CHECK(preview->rises[0].to == 10);
  REQUIRE(preview->falls.size() == 3);
  REQUIRE(preview->shorter_retention.size() == 1);
  CHECK(preview->shorter_retention[0].limit == LicenseLimit::max_log_retention_days);
  REQUIRE(preview->exceeded.size() == 1);
  CHECK(preview->exceeded[0].limit == LicenseLimit::max_users);
  CHECK(preview->exceeded[0].current == 1);
  CHECK(at.gate.limit(LicenseLimit::max_users) == 25);
  CHECK(at.audited() == "install_license 1");
}

}  // namespace
}  // namespace cameleer::test
