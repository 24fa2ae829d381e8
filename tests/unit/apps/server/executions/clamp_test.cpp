#include "executions_world.hpp"

using namespace cameleer;
using namespace cameleer::server;
using namespace cameleer::server::test;

TEST_CASE("environments do not see each other") {
  in_world([](World& w) -> async::Task<> {
    co_await w.send(w.record("e1", milliseconds(0), "COMPLETED", R"("correlationId":"c")"));
    co_await w.send(w.record("e2", milliseconds(0), "COMPLETED", R"("correlationId":"c")"), "test");
    CHECK(co_await w.ids() == Ids{"e1"});
    CHECK(co_await w.ids({}, "test") == Ids{"e2"});
    const auto mine = co_await w.executions.find("default", "e1", {});
    REQUIRE(mine.has_value());
    CHECK(mine->correlated.empty());
    const auto foreign = co_await w.executions.find("test", "e1", {});
    REQUIRE_FALSE(foreign.has_value());
    CHECK(foreign.error().code == ErrorCode::execution_not_found);
    const auto nowhere = co_await w.executions.search("prod", {}, "");
    REQUIRE_FALSE(nowhere.has_value());
    CHECK(nowhere.error().code == ErrorCode::environment_not_found);
  });
}

TEST_CASE("what an environment of the same name left behind is not seen") {
  in_world([](World& w) -> async::Task<> {
    co_await w.send(w.record("old"), "again");
    CHECK((co_await w.ids({}, "again")).empty());
    co_await w.send(w.record("new"), "again", DataKind::executions, "again~2");
    const auto found = co_await w.page({}, "", "again");
    REQUIRE(found.items.size() == 1);
    CHECK(found.items.front().execution.execution_id == "new");
    CHECK(found.items.front().environment == "again");
    const auto detail = co_await w.executions.find("again", "new", std::nullopt);
    REQUIRE(detail);
    CHECK(detail->row.environment == "again");
    CHECK_FALSE(co_await w.executions.find("again", "old", std::nullopt));
  });
}

TEST_CASE("what is older than the retention is not seen, however one asks for it") {
  in_world([](World& w) -> async::Task<> {
    using std::chrono::days;
    const auto old_start = w.start - days(25);
    co_await w.send(w.record("old", old_start - w.start, "COMPLETED", R"("correlationId":"c")"));
    co_await w.send(w.record("younger", -days(20), "COMPLETED", R"("correlationId":"c")"));
    const ExecutionFilter since{.from = w.start - days(60)};
    CHECK(co_await w.ids(since) == Ids{"younger", "old"});
    CHECK(co_await w.executions.find("default", "old", std::nullopt));
    CHECK((co_await w.executions.find("default", "younger", std::nullopt))->correlated.size() == 1);

    w.now += days(6);
    CHECK(co_await w.ids(since) == Ids{"younger"});
    CHECK((co_await w.page(since)).from == w.now - kKept);
    CHECK((co_await w.page({.from = w.start - days(60), .to = w.start - days(50)})).items.empty());
    for (const auto at : {std::optional<Instant>(), std::optional(old_start)}) {
      const auto found = co_await w.executions.find("default", "old", at);
      REQUIRE_FALSE(found);
      CHECK(found.error().code == ErrorCode::execution_not_found);
    }
    CHECK((co_await w.executions.find("default", "younger", std::nullopt))->correlated.empty());
  });
}

TEST_CASE("pages that are turned slowly show nothing that has gone meanwhile") {
  in_world([](World& w) -> async::Task<> {
    using std::chrono::days;
    for (int i = 0; i < 4; ++i) co_await w.send(w.record(fmt::format("e{}", i), -days(26 + i)));
    const ExecutionFilter filter{.from = w.start - days(60), .limit = 1};
    const auto first = co_await w.page(filter);
    CHECK(first.total == 4);
    w.now += days(2);
    const auto second = co_await w.page(filter, first.next_cursor);
    REQUIRE(second.items.size() == 1);
    CHECK(second.items.front().execution.execution_id == "e1");
    CHECK(second.next_cursor.empty());
  });
}
