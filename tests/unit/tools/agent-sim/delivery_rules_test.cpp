#include <catch2/catch.hpp>

#include "agent-sim/batch.hpp"
#include "agent-sim/delivery.hpp"
#include "server/ingest/execution_records.hpp"

using namespace cameleer;
using namespace cameleer::sim;
using namespace std::chrono_literals;

TEST_CASE("what an agent does with an answer is what the protocol says") {
  const std::pair<int, Verdict> rows[] = {
      {202, Verdict::acknowledged}, {400, Verdict::drop},           {415, Verdict::drop},  {422, Verdict::drop},
      {401, Verdict::renew},        {403, Verdict::register_again}, {413, Verdict::split}, {408, Verdict::retry},
      {429, Verdict::retry},        {500, Verdict::retry},          {503, Verdict::retry}, {0, Verdict::retry},
      {200, Verdict::retry}};
  for (const auto& [status, verdict] : rows) CHECK(verdict_of(status) == verdict);
}

TEST_CASE("an agent waits as long as Retry-After says, else twice as long each time") {
  RetryDelay delay(250ms, 1s);
  CHECK(delay.next("") == 250ms);
  CHECK(delay.next("") == 500ms);
  CHECK(delay.next("7") == 7s);
  CHECK(delay.next("soon") == 1s);
  CHECK(delay.next("-1") == 1s);
  CHECK(delay.next("86400") == 60s);
}

TEST_CASE("elements refused alone are read from the answer") {
  CHECK(rejected_in(R"({"accepted":3})").empty());
  CHECK(rejected_in(R"({"accepted":1,"rejected":[{"index":0,"reason":"too_old"},{"index":2,"reason":"in_future"}]})") ==
        std::vector<std::size_t>{0, 2});
  CHECK(rejected_in(R"({"rejected":[{"index":-1},{"index":"x"},7]})").empty());
  CHECK(rejected_in(R"({"rejected")").empty());
}

TEST_CASE("a request that was too large goes out in parts with keys of their own and all of its executions") {
  for (const auto coding : {Coding::identity, Coding::gzip}) {
    Generator generator({.seed = 4}, 0);
    Batch batch;
    batch.key = "k";
    for (int i = 0; i < 5; ++i) batch.add(generator, instant_of(1'795'000'000'000 + i));
    batch.close(coding);
    const auto first = batch.part(0, 2), second = batch.part(2, 5), smallest = second.part(1, 2);
    CHECK(first.key != second.key);
    CHECK(smallest.key != second.key);
    CHECK(first.records.size() == 2);
    CHECK(smallest.records.front() == batch.records[3]);
    auto text = coding == Coding::identity ? smallest.body : smallest.plain;
    const auto read = server::read_executions(text);
    REQUIRE(read);
    CHECK(read->front().execution_id == id_of(batch.records[3].id));
  }
}
