#include <catch2/catch.hpp>

#include "audit_fixture.hpp"

using namespace cameleer;
using cameleer::test::AuditFixture;

TEST_CASE("the log takes no update, no deletion and no truncation") {
  AuditFixture audit;
  audit.record("create_app");
  for (const auto* table : {"audit_log", "audit_seals", "audit_heads"}) {
    for (const auto& sql : {fmt::format("delete from {}", table), fmt::format("truncate {}", table)}) {
      INFO(sql);
      auto refused = audit.run(audit.pool->query(sql));
      REQUIRE_FALSE(refused);
      CHECK(refused.error().sqlstate == "42501");
    }
  }
  CHECK_FALSE(audit.run(audit.pool->query("update audit_log set username = 'eve'")));
  CHECK(audit.cell("select count(*) from audit_log") == "1");
}

TEST_CASE("an entry goes with its transaction") {
  AuditFixture audit;
  auto transaction = audit.run(audit.pool->begin()).value();
  CHECK(audit.run(audit.audit->append(*transaction, {.actor = {}, .action = "create_app"})));
  CHECK(audit.run(transaction->rollback()));
  CHECK(audit.cell("select count(*) from audit_log") == "0");
}

TEST_CASE("a row is chained only when nothing older can appear") {
  AuditFixture audit;
  auto slow = audit.run(audit.pool->begin()).value();
  CHECK(audit.run(audit.audit->append(*slow, {.actor = {}, .action = "slow"})));
  audit.record("fast");
  CHECK(audit.run(audit.ledger.seal()).value() == 0);
  CHECK(audit.run(audit.ledger.verify()).value().unsealed == 1);
  CHECK(audit.run(slow->commit()));
  CHECK(audit.run(audit.ledger.seal()).value() == 2);
  CHECK(audit.cell("select l.action from audit_seals s join audit_log l on l.id = audit_id where position = 1") ==
        "slow");
  CHECK(audit.broken().empty());
}

TEST_CASE("rows are chained by transaction, whatever their ids") {
  AuditFixture audit;
  auto first = audit.run(audit.pool->begin()).value();
  CHECK(audit.run(first->query("select pg_current_xact_id()")));
  audit.record("second");
  CHECK(audit.run(audit.audit->append(*first, {.actor = {}, .action = "first"})));
  CHECK(audit.run(first->commit()));
  CHECK(audit.run(audit.ledger.seal()).value() == 2);
  CHECK(audit.cell("select string_agg(l.action, ' ' order by position) from audit_seals s join audit_log l on "
                   "l.id = audit_id") == "first second");
  CHECK(audit.broken().empty());
}

TEST_CASE("of two sealers one works, and the other goes on where it was killed") {
  AuditFixture audit;
  audit.record("one");
  server::AuditLedger other(*audit.pool, audit.key, [&audit] { return audit.now; });
  {
    auto working = audit.run(audit.pool->begin()).value();
    CHECK(audit.run(working->query("select from audit_chain for update")));
    CHECK(audit.run(working->query("insert into audit_seals values (1, 1, decode(repeat('00', 32), 'hex'))")));
    CHECK(audit.run(other.seal()).value() == 0);
    CHECK(audit.run(working->rollback()));
  }
  CHECK(audit.run(other.seal()).value() == 1);
  audit.record("two");
  CHECK(audit.run(audit.ledger.seal()).value() == 1);
  CHECK(audit.run(other.seal()).value() == 0);
  CHECK(audit.broken().empty());
}

TEST_CASE("what was done to the rows is found") {
  struct Case {
    std::string name, sql, found;
  };
  const auto cases = std::vector<Case>{
      {"nothing", "select 1", ""},
      {"changed", "update audit_log set username = 'eve' where id = 2",
       "2: The row, its place or a seal before it was changed."},
      {"a microsecond", "update audit_log set timestamp = timestamp + interval '1 microsecond' where id = 3",
       "3: The row, its place or a seal before it was changed."},
      {"null for empty", "update audit_log set user_id = '' where id = 1",
       "1: The row, its place or a seal before it was changed."},
      {"removed", "delete from audit_log where id = 2", "2: The row was removed."},
      {"removed with its seal",
       "with gone as (delete from audit_seals where position = 2) "
       "delete from audit_log where id = 2",
       "2: The seal is missing."},
      {"the end removed",
       "with gone as (delete from audit_seals where position = 4) delete from audit_log where id = 4",
       "4: The seal is missing."},
      {"inserted",
       "insert into audit_log (xid, timestamp, username, action, category, result) "
       "select xid, timestamp, 'eve', 'x', 'APP', 'SUCCESS' from audit_log where id = 2",
       "4: 1 rows without a seal lie before it: they were inserted later."},
      {"reordered",
       "update audit_seals set audit_id = -audit_id; update audit_seals set audit_id = case position "
       "when 1 then 2 when 2 then 1 else position end",
       "1: The row, its place or a seal before it was changed."},
      {"the end taken back with the state",
       "delete from audit_log where id = 4; delete from audit_seals where position = 4; "
       "update audit_chain set position = 3, hash = (select hash from audit_seals where position = 3)",
       "4: A signed head says otherwise."},
  };
  for (const auto& one : cases) {
    INFO(one.name);
    AuditFixture audit;
    for (int i = 1; i <= 4; ++i) audit.record(fmt::format("action_{}", i));
    CHECK(audit.run(audit.ledger.seal()).value() == 4);
    CHECK(audit.run(audit.ledger.sign(std::chrono::hours(1))).value().has_value());
    std::string rest = one.sql;
    for (auto at = rest.find("; "); at != std::string::npos; at = rest.find("; ")) {
      audit.tamper(rest.substr(0, at));
      rest.erase(0, at + 2);
    }
    audit.tamper(rest);
    CHECK(audit.broken() == one.found);
  }
}

TEST_CASE("a head is signed once an hour, and when the process ends") {
  AuditFixture audit;
  CHECK_FALSE(audit.run(audit.ledger.sign(std::chrono::hours(1))).value());
  audit.record("one");
  CHECK(audit.run(audit.ledger.seal()).value() == 1);
  const auto head = audit.run(audit.ledger.sign(std::chrono::hours(1))).value();
  REQUIRE(head);
  CHECK(server::is_signed(*head, audit.key.public_key));
  CHECK_FALSE(server::is_signed(*head, audit.keys.command_public_key()));
  audit.record("two");
  CHECK(audit.run(audit.ledger.seal()).value() == 1);
  CHECK_FALSE(audit.run(audit.ledger.sign(std::chrono::hours(1))).value());
  std::int64_t position = 0;
  cameleer::test::finish(audit.io, audit.ledger.finish([&](const auto& last, auto) { position = last.position; }));
  CHECK(position == 2);
  // The seal before it found nothing to do; its lock must be gone by then.
  for (std::int64_t last = 3; last < 20; ++last) {
    audit.record("more");
    CHECK(audit.run(audit.ledger.seal()).value() == 1);
    cameleer::test::finish(audit.io,
                           audit.ledger.finish([&](const auto& last_head, auto) { position = last_head.position; }));
    CHECK(position == last);
  }
  CHECK(audit.broken().empty());
}

TEST_CASE("tables restored into a cluster that counts transactions anew are sealed on") {
  AuditFixture audit;
  audit.record("one");
  CHECK(audit.run(audit.ledger.seal()).value() == 1);
  audit.tamper("update audit_log set xid = '9000000000'");
  audit.tamper("update audit_chain set last_xid = '9000000000'");
  audit.record("two");
  CHECK(audit.run(audit.ledger.seal()).value() == 0);  // begins to count anew
  CHECK(audit.run(audit.ledger.seal()).value() == 1);
  audit.record("three");
  CHECK(audit.run(audit.ledger.seal()).value() == 1);
  CHECK(audit.broken().empty());
}
