#include <catch2/catch.hpp>
#include <license-minter/report.hpp>

using namespace cameleer;
using namespace cameleer::license_minter;

TEST_CASE("text of somebody else's cannot drive a terminal") {
  const std::pair<std::string, std::string> rows[] = {
      {"plain", "plain"},
      {"\xc3\xa4\xe2\x82\xac", "\xc3\xa4\xe2\x82\xac"},
      {"\x1b[2J", "\\x1b[2J"},
      {"a\nb\r", "a\\x0ab\\x0d"},
      {"\x7f", "\\x7f"},
      {"\xc2\x9b"
       "2J",
       "\\xc2\\x9b"
       "2J"},
      {"\xc2\xa0", "\xc2\xa0"},
      {"\xff\xc3", "\\xff\\xc3"},
      {"", ""},
  };
  for (const auto& [text, shown] : rows) CHECK(printable(text) == shown);
}

TEST_CASE("a licence is shown with every member that it has") {
  LicenseInfo license{.license_id = "0b6f5f0e-52c5-4f0e-9d0c-3f9a4b7c1d2e", .tenant_id = "acme", .label = "A\x1b"};
  license.expires_at = *parse_instant("2027-04-26T23:59:59.999Z");
  license.limits.set(LicenseLimit::max_apps, 50);
  auto text = lines_of(license);
  CHECK_THAT(text, Catch::Contains("2027-04-26T23:59:59Z\n") && Catch::Contains("A\\x1b\n") &&
                       Catch::Contains("max_apps") && Catch::Contains("50\n"));
  CHECK(text.find("max_users") == std::string::npos);
  CHECK(text.find("keyId") == std::string::npos);
  license.key_id = "2026";
  license.tier = "team";
  license.features = {"lineage"};
  text = lines_of(license);
  CHECK_THAT(text, Catch::Contains("2026\n") && Catch::Contains("team\n") && Catch::Contains("lineage\n"));
}
