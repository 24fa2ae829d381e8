#include "server/ingest/execution_columns.hpp"

#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::server;

namespace {

clickhouse::Block block_of(std::span<const clickhouse::Block::Column> columns) {
  return clickhouse::Block({columns.begin(), columns.end()});
}

}  // namespace

TEST_CASE("a finished row replaces a running one, and of equal rows the first stays") {
  const auto early = instant_of(1'795'309'323'456), late = early + std::chrono::minutes(5);
  CHECK(row_version("COMPLETED", late) > row_version("RUNNING", early));
  CHECK(row_version("COMPLETED", early) > row_version("RUNNING", late));
  CHECK(row_version("FAILED", early) > row_version("COMPLETED", late));
  CHECK(row_version("RUNNING", early) > row_version("RUNNING", late));
  CHECK(row_version("SOMETHING_NEW", late) > row_version("RUNNING", early));
  CHECK(row_version("RUNNING", early) < 1ULL << 63);
  CHECK(row_version("COMPLETED", late) >= 1ULL << 63);
}

TEST_CASE("every column of a row is filled") {
  auto executions = block_of(execution_columns()), processors = block_of(processor_columns());
  Execution execution;
  execution.status = "FAILED";
  execution.processors.resize(3);
  append_rows(execution, {"default", "default", instant_of(1'795'309'323'456)}, executions, processors);
  CHECK(executions.rows() == 1);
  CHECK(processors.rows() == 3);
  // Throws when a column is short.
  CHECK_FALSE(executions.encode_native().empty());
  CHECK_FALSE(processors.encode_native().empty());
}
