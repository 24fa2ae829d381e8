#include "agent-sim/ledger.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "../../temporary_folder.hpp"

using namespace cameleer;
using namespace cameleer::sim;

namespace {

struct Folder : test::TemporaryFolder {
  [[nodiscard]] std::string file() const { return (path / "ledger").string(); }
};

Record record(std::uint64_t number) {
  return {bits_of(1, 2, number), instant_of(1'795'000'000'000 + static_cast<std::int64_t>(number)),
          number % 2 ? 'F' : 'C', static_cast<std::uint32_t>(number), bits_of(3, 4, number).low};
}

const LedgerHeader kHeader{7, "default", "sim-7-"};

}  // namespace

TEST_CASE("what is written to a ledger is read back, line by line") {
  Folder folder;
  const std::vector<Record> first{record(1), record(2)}, second{record(3)}, lost{record(4)};
  {
    auto writer = LedgerWriter::create(folder.file(), kHeader);
    REQUIRE(writer);
    REQUIRE(writer->acknowledged(first));
    REQUIRE(writer->acknowledged(second));
    REQUIRE(writer->unknown(lost));
    REQUIRE(writer->end());
  }
  std::vector<LedgerEntry> entries;
  const auto summary = read_ledger(folder.file(), [&](const LedgerEntry& entry) { entries.push_back(entry); });
  REQUIRE(summary);
  CHECK(summary->ended);
  CHECK_FALSE(summary->torn);
  CHECK(summary->header.seed == 7);
  CHECK(summary->header.environment == "default");
  CHECK(summary->header.agents == "sim-7-");
  REQUIRE(entries.size() == 5);
  CHECK(entries[1].records == first);
  CHECK(entries[2].records == second);
  CHECK(entries[3].kind == LedgerLine::unknown);
  CHECK(entries[3].records == lost);
}

TEST_CASE("a torn last line counts as never written, at whatever byte it is torn") {
  const std::vector<Record> kept{record(1)}, cut{record(2), record(3)};
  const auto whole = format_records(LedgerLine::acknowledged, cut);
  for (std::size_t length = 1; length < whole.size(); ++length) {
    Folder folder;
    std::ofstream(folder.file(), std::ios::binary)
        << format_header(kHeader) << format_records(LedgerLine::acknowledged, kept) << whole.substr(0, length);
    std::size_t records = 0;
    const auto summary = read_ledger(folder.file(), [&](const LedgerEntry& entry) { records += entry.records.size(); });
    REQUIRE(summary);
    CHECK(summary->torn);
    CHECK(records == 1);
  }
}

TEST_CASE("a ledger is refused when a line before the last is wrong, its head is missing, or it exists already") {
  Folder folder;
  auto bad = format_records(LedgerLine::acknowledged, std::vector<Record>{record(1)});
  bad[10] = bad[10] == '0' ? '1' : '0';
  for (const auto& text : {format_header(kHeader) + bad + format_end(), format_end(), std::string("nonsense\n")}) {
    std::ofstream(folder.file(), std::ios::binary | std::ios::trunc) << text;
    const auto read = read_ledger(folder.file(), [](const LedgerEntry&) {});
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::malformed_body);
  }
  CHECK(LedgerWriter::create(folder.file(), kHeader).error().code == ErrorCode::conflict);
  CHECK(read_ledger(folder.file() + "-none", [](const LedgerEntry&) {}).error().code == ErrorCode::not_found);
}
