#include <catch2/catch.hpp>

#include "audit_fixture.hpp"

using namespace cameleer;
using cameleer::test::AuditFixture;
using cameleer::test::verdict;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string file_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

}  // namespace

TEST_CASE("an export of ten thousand rows verifies without the server") {
  AuditFixture audit;
  audit.cell(
      "insert into audit_log (timestamp, username, action, category, result, detail) select now(), 'ada', 'a' || i, "
      "'APP', 'SUCCESS', jsonb_build_object('n', i, 'text', 'ü\"\\') from generate_series(1, 10000) i");
  CHECK(audit.run(audit.ledger.seal()).value() == 10'000);
  audit.record("last");
  const auto file = audit.exported();
  CHECK(verdict(file, audit.key.public_key) ==
        "10000 rows, positions 1 to 10000, are unbroken; the end was signed by this key at 2027-01-15T08:00:00.000Z; 1 "
        "more are not sealed yet.");
  CHECK(verdict(file, audit.keys.command_public_key()) == "Line 10002: the end was not signed by this key.");
}

TEST_CASE("a file that is not as it was exported is refused with its line") {
  AuditFixture audit;
  for (int i = 1; i <= 4; ++i) audit.record(fmt::format("action_{}", i));
  CHECK(audit.run(audit.ledger.seal()).value() == 4);
  const auto file = audit.exported();
  const auto lines = lines_of(file);
  REQUIRE(lines.size() == 5);
  const auto with = [&](auto change) {
    auto copy = lines;
    change(copy);
    return verdict(file_of(copy));
  };
  const auto replaced = [&](std::size_t line, const std::string& from, const std::string& to) {
    return with([&](auto& all) { all[line].replace(all[line].find(from), from.size(), to); });
  };
  CHECK(with([](auto&) {}).starts_with("4 rows, positions 1 to 4, are unbroken"));
  CHECK(with([](auto& all) { all.erase(all.begin()); }) ==
        "Line 4: the file had 4 rows, 0 of them unsealed; now it has "
        "3 and 0.");
  CHECK(with([](auto& all) { all.erase(all.begin() + 1); }) == "Line 2: position 2 is missing.");
  CHECK(with([](auto& all) { all.erase(all.begin() + 1, all.begin() + 3); }) ==
        "Line 2: positions 2 to 3 are missing.");
  CHECK(with([](auto& all) { std::swap(all[1], all[2]); }) == "Line 2: position 2 is missing.");
  CHECK(with([](auto& all) { all.insert(all.begin(), all[0]); }) == "Line 2: position 1 follows position 1.");
  CHECK(with([](auto& all) { all.pop_back(); }) ==
        "Line 4: the file is cut short: its last line, the signed end, is missing.");
  CHECK(with([](auto& all) { all.push_back(all[0]); }) == "Line 6: there is something after the end.");
  CHECK(with([](auto& all) { all[2] = "{}"; }) == "Line 3: this is no line of an export.");
  CHECK(with([](auto& all) { all[2] = "nonsense"; }) == "Line 3: this is no line of an export.");
  CHECK(with([](auto& all) { all[2] = ""; }) == "Line 3: this is no line of an export.");
  CHECK(with([](auto& all) { all[2] = std::string(200'000, '['); }) == "Line 3: this is no line of an export.");
  CHECK(replaced(1, "ada", "eve") == "Line 2: the row at position 2 was changed.");
  CHECK(replaced(1, "1.5", "1.6") == "Line 2: the row at position 2 was changed.");
  CHECK(replaced(1, "\"userId\":null", "\"userId\":\"\"") == "Line 2: the row at position 2 was changed.");
  CHECK(replaced(1, "\"action\":", "\"Action\":") == "Line 2: this is no line of an export.");
  CHECK(replaced(4, "\"rows\":4", "\"rows\":5") ==
        "Line 5: the file had 5 rows, 0 of them unsealed; now it has 4 and 0.");
  CHECK(verdict("") == "The file is empty.");
  CHECK(verdict(file.substr(0, file.size() - 1)) == "Line 5: cut short.");
  CHECK(verdict(std::string(2 << 20, 'x')).starts_with("Line 1: longer"));
  CHECK(verdict(std::string("\x7f"
                            "ELF\0\xff\n",
                            8)) == "Line 1: this is no line of an export.");
}

TEST_CASE("part of the chain verifies from where it begins; a filter that leaves rows out does not") {
  AuditFixture audit;
  for (int i = 1; i <= 4; ++i) {
    audit.record(fmt::format("action_{}", i), "", i == 3 ? "eve" : "ada");
    audit.now += std::chrono::seconds(1);
  }
  CHECK(audit.run(audit.ledger.seal()).value() == 4);
  CHECK(verdict(audit.exported({{"from", format_instant(audit.now - std::chrono::seconds(3))}}))
            .starts_with("3 rows, positions 2 to 4, are unbroken"));
  CHECK(verdict(audit.exported({{"username", "ada"}})) == "Line 3: position 3 is missing.");
  CHECK(verdict(audit.exported({{"username", "nobody"}})) == "No sealed row; 0 not sealed yet.");
}

TEST_CASE("CSV quotes, and no cell is a formula") {
  AuditFixture audit;
  audit.record("=1+1", "a \"b\", c\nd", "@ada");
  const auto csv = audit.ask("/api/v1/admin/audit/export", {{"format", "csv"}}).body;
  CHECK(csv.find(",\"'=1+1\",") != std::string::npos);
  CHECK(csv.find(",\"'@ada\",") != std::string::npos);
  CHECK(csv.find(",\"a \"\"b\"\", c\nd\",") != std::string::npos);
  CHECK(csv.starts_with("position,id,timestamp,"));
}
