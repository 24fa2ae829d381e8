#include "server/license/license_trust.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "license_on_loop.hpp"

namespace cameleer::test {
namespace {

using server::license_trust_root;

TEST_CASE("the environment gives the keys where the build has none, and that is told") {
  const Vendor a, b;
  const auto one = to_spki(a.public_key()), two = to_spki(b.public_key());
  const auto none = license_trust_root({.embedded = "", .public_key = "", .public_keys = ""});
  REQUIRE(none);
  CHECK(none->keys.empty());
  CHECK(none->keys.trust() == LicenseTrust::none);
  CHECK(none->warnings.empty());

  const auto single = license_trust_root({.embedded = "\n", .public_key = " " + one + "\n", .public_keys = ""});
  REQUIRE(single);
  CHECK(single->keys.keys().size() == 1);
  CHECK(single->keys.trust() == LicenseTrust::environment);
  REQUIRE(single->warnings.size() == 2);
  CHECK(single->warnings[0].find("white space") != std::string::npos);

  const auto both = license_trust_root({.embedded = "", .public_key = one, .public_keys = one + "," + two});
  REQUIRE(both);
  CHECK(both->keys.keys().size() == 2);
}

TEST_CASE("the keys of a build can only be narrowed") {
  const Vendor a, b, c;
  const auto one = to_spki(a.public_key()), two = to_spki(b.public_key()), other = to_spki(c.public_key());
  const auto embedded = one + "\n" + two;
  const auto all = license_trust_root({.embedded = embedded, .public_key = "", .public_keys = ""});
  REQUIRE(all);
  CHECK(all->keys.keys().size() == 2);
  CHECK(all->keys.trust() == LicenseTrust::embedded);
  CHECK(all->warnings.empty());

  const auto fewer = license_trust_root({.embedded = embedded, .public_key = two, .public_keys = ""});
  REQUIRE(fewer);
  REQUIRE(fewer->keys.keys().size() == 1);
  CHECK(to_spki(fewer->keys.keys()[0]) == two);
  CHECK(fewer->keys.trust() == LicenseTrust::embedded);

  const auto foreign = license_trust_root({.embedded = embedded, .public_key = other, .public_keys = ""});
  REQUIRE(foreign);
  CHECK(foreign->keys.empty());
  CHECK(foreign->warnings.size() == 1);
}

TEST_CASE("a list may be in a file, and what cannot be read stops the start with the setting's name") {
  const Vendor a, b;
  const auto path = std::filesystem::temp_directory_path() / fmt::format("cameleer-keys-{}", ::getpid());
  std::ofstream(path) << "old=" << to_spki(a.public_key()) << "\nnew=" << to_spki(b.public_key()) << "\n";
  const auto listed = license_trust_root({.embedded = "", .public_key = "", .public_keys = path.string()});
  std::filesystem::remove(path);
  REQUIRE(listed);
  REQUIRE(listed->keys.keys().size() == 2);
  CHECK(listed->keys.names("new"));

  const auto gone = license_trust_root({.embedded = "", .public_key = "", .public_keys = path.string()});
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == ErrorCode::bad_configuration);
  CHECK(gone.error().member == "cameleer.server.license.publickeys");
  const auto wrong = license_trust_root({.embedded = "", .public_key = "abc", .public_keys = ""});
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().member == "cameleer.server.license.publickey");
}

}  // namespace
}  // namespace cameleer::test
