#include "server/ingest/execution_columns.hpp"

#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::server;

TEST_CASE("a finished row replaces a running one, and of equal rows the first stays") {
  const auto early = instant_of(1'795'309'323'456), late = early + std::chrono::minutes(5);
  const auto version = [](std::string_view status, Instant arrived) { return execution_version(status, 1, arrived); };
  CHECK(version("COMPLETED", late) > version("RUNNING", early));
  CHECK(version("COMPLETED", early) > version("RUNNING", late));
  CHECK(version("FAILED", early) > version("COMPLETED", late));
  CHECK(version("RUNNING", early) > version("RUNNING", late));
  CHECK(version("SOMETHING_NEW", late) > version("RUNNING", early));
  CHECK(version("RUNNING", early) < 1ULL << 63);
  CHECK(version("COMPLETED", late) >= 1ULL << 63);
}

TEST_CASE("a later part of a running execution replaces an earlier one, whichever comes first") {
  const auto early = instant_of(1'795'309'323'456), late = early + std::chrono::minutes(5);
  CHECK(execution_version("RUNNING", 3, early) > execution_version("RUNNING", 2, late));
  CHECK(execution_version("RUNNING", 3, late) > execution_version("RUNNING", 2, early));
  CHECK(execution_version("COMPLETED", 0, late) > execution_version("RUNNING", 0x7FFF'FFFF, early));
  CHECK(execution_version("RUNNING", 0x7FFF'FFFF, early) < 1ULL << 63);
}
