#include "server/ingest/ingest_health.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::server;
using namespace std::chrono_literals;

namespace {

using Figures = JournaledWriter::Figures;
using Codes = std::vector<std::string>;

const auto kNow = *parse_instant("2026-11-22T12:00:00Z");

Codes codes_of(const Figures& figures) {
  Codes codes;
  for (const auto& warning : journal_warnings(figures, kNow)) codes.push_back(warning.code);
  return codes;
}

Figures with_room(std::uint64_t bytes) {
  Figures figures;
  figures.bytes = bytes;
  figures.capacity = 1'000;
  return figures;
}

}  // namespace

TEST_CASE("a journal with room and a store that takes rows is worth no warning") {
  CHECK(codes_of(with_room(0)).empty());
  CHECK(codes_of(with_room(799)).empty());
}

TEST_CASE("from 80 % on a journal is filling") {
  CHECK(codes_of(with_room(800)) == Codes{"journal_filling"});
  CHECK(journal_share(with_room(2'000)) == 1.0);
  CHECK(journal_share(Figures{}) == 0.0);
}

TEST_CASE("a refusal is told for a minute, instead of the filling") {
  auto figures = with_room(990);
  figures.last_refused = kNow - 59s;
  CHECK(codes_of(figures) == Codes{"journal_full"});
  CHECK(journal_warnings(figures, kNow).front().since == figures.last_refused);
  figures.last_refused = kNow - 60s;
  CHECK(codes_of(figures) == Codes{"journal_filling"});
}

TEST_CASE("a store that takes no rows is told with since when") {
  auto figures = with_room(1);
  figures.store_failing_since = kNow - 5min;
  CHECK(codes_of(figures) == Codes{"store_refuses_rows"});
  CHECK(journal_warnings(figures, kNow).front().since == kNow - 5min);
}

TEST_CASE("what was set aside is told while its files are there, and what could not be written is, too") {
  auto figures = with_room(1);
  figures.set_aside["refused_by_store"] = 2;
  CHECK(codes_of(figures).empty());
  figures.set_aside_files = 2;
  CHECK(codes_of(figures) == Codes{"rows_set_aside"});
  figures.set_aside_files = 0;
  figures.unwritten = 1;
  CHECK(codes_of(figures) == Codes{"rows_set_aside"});
}

TEST_CASE("a journal that nobody can read is told with since when") {
  auto figures = with_room(1);
  figures.unusable_journals = 1;
  figures.unusable_since = kNow - 5min;
  CHECK(codes_of(figures) == Codes{"journal_unusable"});
  CHECK(journal_warnings(figures, kNow).front().since == kNow - 5min);
}

TEST_CASE("readiness shows whole numbers") {
  auto figures = with_room(125);
  figures.records = 3;
  CHECK(boost::json::serialize(ingest_state(figures, 41'999ms)) ==
        R"({"store":"up","journal":{"usedPercent":12,"records":3,"lagSeconds":41,"refused":0},"setAside":0})");
  CHECK(boost::json::serialize(ingest_state(with_room(2'000), 0ms)).find(R"("usedPercent":100,)") != std::string::npos);
}
