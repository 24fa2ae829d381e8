#include "server/ingest/row_identity.hpp"

#include <catch2/catch.hpp>
#include <set>

using namespace cameleer;
using namespace cameleer::server;

TEST_CASE("a row's identity is of 16 bytes and depends on agent, request and place only") {
  const RowIds ids("agent-1", "", "body");
  CHECK(ids.of(0).size() == 16);
  CHECK(RowIds("agent-1", "", "body").of(0) == ids.of(0));
  const std::set<std::string> all{ids.of(0), ids.of(1), RowIds("agent-2", "", "body").of(0),
                                  RowIds("agent-1", "", "other").of(0), RowIds("agent-1", "body", "body").of(0),
                                  RowIds("agent-1", "key", "body").of(0),
                                  // Where one text ends and the next begins counts.
                                  RowIds("agent-1k", "ey", "body").of(0)};
  CHECK(all.size() == 7);
  CHECK(RowIds("agent-1", "key", "body").of(3) == RowIds("agent-1", "key", "other").of(3));
}
