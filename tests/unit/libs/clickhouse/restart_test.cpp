#include <thread>

#include "engine_session.hpp"

using namespace cameleer;
using namespace cameleer::clickhouse;
using namespace std::chrono_literals;
using async::Executor;
using async::Task;
using test::options_for;
using test::PrivateEngine;

namespace {

const std::vector<Block::Column> kColumns{{"id", "UInt64"}, {"s", "LowCardinality(String)"}};
constexpr std::uint64_t kRows = 5'000;

std::string block_of(std::uint64_t number) {
  Block block(kColumns);
  for (std::uint64_t i = 0; i < kRows; ++i) {
    block.append_uint(0, number * kRows + i);
    block.append(1, "value");
  }
  return block.encode_native();
}

}  // namespace

TEST_CASE("a killed engine is an error of the call under way, and the same client goes on after its restart") {
  PrivateEngine engine;
  test::run([&](Executor executor) -> Task<> {
    Client maker(executor, options_for(engine));
    REQUIRE_WORKED(co_await maker.execute("CREATE DATABASE crash"));
    Client client(executor, options_for(engine, "crash"));
    REQUIRE_WORKED(co_await client.execute("CREATE TABLE t (id UInt64, s String) ENGINE = MergeTree ORDER BY id"));
    std::uint64_t acknowledged = 0;
    std::uint64_t number = 0;
    for (int round = 0; round < 3; ++round) {
      std::thread killer([&] {
        std::this_thread::sleep_for(100ms);  // somewhere in the inserts; where is not asserted
        engine.kill();
      });
      std::optional<EngineError> failure;
      while (!failure) {
        const auto outcome = co_await client.insert("t", kColumns, block_of(number++));
        if (outcome) {
          ++acknowledged;
        } else {
          failure = outcome.error();
        }
      }
      killer.join();
      const bool lost =
          failure->error.code == ErrorCode::unavailable || failure->error.code == ErrorCode::upstream_error;
      CHECK(lost);
      CHECK(failure->code == 0);
      CHECK_FALSE((co_await client.ping()).has_value());

      engine.start();
      REQUIRE((co_await client.ping()).has_value());
      REQUIRE_WORKED(co_await client.insert("t", kColumns, block_of(number++)));
      ++acknowledged;
    }
    std::uint64_t blocks = 0;
    std::uint64_t incomplete = 0;
    REQUIRE_WORKED(co_await client.select("SELECT intDiv(id, 5000) AS block, count() AS rows FROM t GROUP BY block", {},
                                          [&](const Row& row) {
                                            ++blocks;
                                            incomplete += row.integer(1) == 5'000 ? 0 : 1;
                                            return true;
                                          }));
    CHECK(blocks >= acknowledged);
    CHECK(blocks <= number);
    CHECK(incomplete == 0);
  });
}
