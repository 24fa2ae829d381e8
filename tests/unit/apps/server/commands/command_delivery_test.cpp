#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>

#include "commands_on_loop.hpp"

using namespace cameleer;
using namespace std::chrono_literals;
using test::CommandsOnLoop;
using test::StreamEvent;

namespace {

std::vector<std::string> ids_of(const std::vector<StreamEvent>& events) {
  std::vector<std::string> ids;
  for (const auto& event : events) ids.push_back(event.id);
  return ids;
}

identity::SignedCommand signed_in(const StreamEvent& event) {
  const auto data = boost::json::parse(event.data);
  return {.payload = std::string(data.at("payload").as_string()),
          .signature = std::string(data.at("signature").as_string()),
          .key_id = std::string(data.at("keyId").as_string())};
}

}  // namespace

TEST_CASE_METHOD(CommandsOnLoop, "a command reaches the connected agent, signed over its bytes") {
  auto reader = connect(*commands);
  until([&] { return reader->text == ": connected\n\n"; });
  const auto id = stop_route();
  until([&] { return !reader->events().empty(); });
  const auto event = reader->events().at(0);
  CHECK(event.name == "route-control");
  CHECK(event.id == id);
  const auto command = signed_in(event);
  CHECK(command.key_id == keys.command_signing().id);
  const auto verified = identity::verify_command(command, keys.command_public_key());
  REQUIRE(verified);
  const auto envelope = command::read_envelope(*verified);
  REQUIRE(envelope);
  CHECK(envelope->command_id == id);
  CHECK(envelope->type == command::Type::route_control);
  CHECK(envelope->tenant_id == "default");
  CHECK(envelope->environment == "default");
  CHECK(envelope->agent_id == "orders-1");
  CHECK(envelope->issued_at == now);
  CHECK(envelope->expires_at == now + 60s);
  CHECK(envelope->nonce.size() == 22);
  CHECK(envelope->body == R"({"action":"stop","routeId":"in"})");
  CHECK(state_of(id) == "DELIVERED");
  CHECK(cell("select delivered_at = to_timestamp(" + std::to_string(milliseconds_of(now) / 1000) +
             ") from agent_commands") == "t");
}

TEST_CASE_METHOD(CommandsOnLoop, "commands wait for an agent that is away, come in order, and end with their life") {
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(stop_route("r" + std::to_string(i)));
  now += 59s;
  auto reader = connect(*commands);
  until([&] { return reader->events().size() == 20; });
  CHECK(ids_of(reader->events()) == ids);
  reader->close();
  until([&] { return reader->ended; });
  CHECK(commands->open_streams() == 0);

  const auto late = stop_route();
  now += 60s;
  reader = connect(*commands);
  until([&] { return reader->text == ": connected\n\n"; });
  REQUIRE(run(commands->expire()));
  CHECK(state_of(late) == "EXPIRED");
  CHECK(reader->events().empty());
  CHECK(commands->settled(command::Type::route_control, command::State::expired) == 21);
}

TEST_CASE_METHOD(CommandsOnLoop,
                 "with Last-Event-ID the unsettled commands after it come again, the same to the byte") {
  auto reader = connect(*commands);
  std::vector<std::string> ids;
  for (int i = 0; i < 12; ++i) ids.push_back(stop_route("r" + std::to_string(i)));
  until([&] { return reader->events().size() == 12; });
  const auto first = reader->events();
  reader->close();
  until([&] { return reader->ended; });
  CHECK(acknowledge(ids[3]).status == 200);
  const auto waiting = stop_route("waiting");

  reader = connect(*commands, "orders-1", ids[1]);
  until([&] { return reader->events().size() == 10; });
  const auto again = reader->events();
  CHECK(again[0].id == ids[2]);
  CHECK(again[1].id == ids[4]);
  CHECK(again[1].data == first[4].data);
  CHECK(again[9].id == waiting);
  const auto next = stop_route("next");
  until([&] { return reader->events().size() == 11; });
  CHECK(reader->events().back().id == next);
  reader->close();
  until([&] { return reader->ended; });

  // Without it, or with one that nobody knows, only what was never sent.
  const auto fresh = stop_route("fresh");
  reader = connect(*commands, "orders-1", "0b6f5f0e-52c5-4f0e-9d0c-3f9a4b7c1d2e");
  until([&] { return !reader->events().empty(); });
  CHECK(ids_of(reader->events()) == std::vector<std::string>{fresh});
  reader->close();
  until([&] { return reader->ended; });
  reader = connect(*commands, "orders-1", "no id");
  const auto last = stop_route("last");
  until([&] { return !reader->events().empty(); });
  CHECK(ids_of(reader->events()) == std::vector<std::string>{last});
}

TEST_CASE_METHOD(CommandsOnLoop, "a new stream ends the old one, in this process and in another") {
  auto first = connect(*commands);
  until([&] { return !first->text.empty(); });
  auto second = connect(*commands);
  // The older one may learn of the newer from its row, before that one has its place.
  until([&] { return first->ended && commands->open_streams() == 1; });
  CHECK(first->events().empty());

  const auto other = make_process();
  auto third = connect(*other);
  until([&] { return !third->text.empty(); });
  // The process of the older stream does not know yet: the command must not go there.
  const auto id = stop_route();
  until([&] { return second->ended; });
  CHECK(second->events().empty());
  CHECK(state_of(id) == "PENDING");
  REQUIRE(run(other->look_around()));
  until([&] { return third->events().size() == 1; });
  CHECK(third->events().at(0).id == id);
  CHECK(commands->open_streams() == 0);
  CHECK(other->open_streams() == 1);
}

TEST_CASE_METHOD(CommandsOnLoop, "a stream whose agent went with its environment ends with reauth, whoever finds out") {
  auto reader = connect(*commands);
  until([&] { return reader->text == ": connected\n\n"; });
  SECTION("the look at rows") {
    CHECK(cell("with gone as (delete from agent_streams returning 1) select count(*) from gone") == "1");
    REQUIRE(run(commands->look_around()));
  }
  SECTION("the stream itself, as a command comes") {
    CHECK(cell("with gone as (delete from agent_streams returning 1) select count(*) from gone") == "1");
    stop_route();
  }
  until([&] { return reader->ended; });
  REQUIRE(reader->events().size() == 1);
  CHECK(reader->events()[0].name == "reauth");
}

TEST_CASE_METHOD(CommandsOnLoop, "a stream that is idle learns of a newer one elsewhere") {
  auto old = connect(*commands);
  until([&] { return !old->text.empty(); });
  const auto other = make_process();
  auto newer = connect(*other);
  until([&] { return !newer->text.empty(); });
  CHECK_FALSE(old->ended);
  REQUIRE(run(commands->look_around()));
  until([&] { return old->ended; });
  REQUIRE(run(other->look_around()));
  CHECK_FALSE(newer->ended);
}

TEST_CASE_METHOD(CommandsOnLoop, "a slow reader leaves its commands in their rows") {
  auto reader = connect(*commands);
  until([&] { return !reader->text.empty(); });
  reader->stall();
  std::vector<std::string> ids;
  for (int i = 0; i < 30; ++i) ids.push_back(stop_route("r" + std::to_string(i)));
  REQUIRE(run(commands->look_around()));
  until([&] { return cell("select count(*) from agent_commands where state = 'DELIVERED'") != "0"; });
  CHECK(std::stoi(cell("select count(*) from agent_commands where state = 'PENDING'")) >= 22);
  SECTION("and gets all of them once it reads") {
    reader->take();
    until([&] { return reader->events().size() == 30; });
    CHECK(ids_of(reader->events()) == ids);
  }
  SECTION("and those that were not begun are for the next stream") {
    reader->close();
    until([&] { return reader->ended; });
    auto next = connect(*commands);
    until([&] { return next->events().size() == 29; });
    CHECK(ids_of(next->events()) == std::vector<std::string>(ids.begin() + 1, ids.end()));
  }
}

TEST_CASE_METHOD(CommandsOnLoop, "a revoked key and a token that is over end the stream with reauth") {
  auto reader = connect(*commands);
  until([&] { return !reader->text.empty(); });
  REQUIRE(run(commands->end_revoked()));
  CHECK(commands->open_streams() == 1);
  SECTION("the key") {
    cell("update api_keys set status = 'REVOKED'");
  }
  SECTION("the token") {
    now += 1h;
  }
  REQUIRE(run(commands->end_revoked()));
  until([&] { return reader->ended; });
  REQUIRE(reader->events().size() == 1);
  CHECK(reader->events()[0].name == "reauth");
  CHECK(reader->events()[0].data == "{}");
  CHECK(commands->open_streams() == 0);
}

TEST_CASE_METHOD(CommandsOnLoop, "settled commands are forgotten after 30 days, others are not") {
  const auto old = stop_route();
  CHECK(acknowledge(old).status == 200);
  now += 30 * 24h - 1ms;
  const auto young = run(commands->send("orders-1", std::nullopt,
                                        {.type = command::Type::deep_trace, .body = "{}", .issued_by = "admin"}))
                         .value()
                         .id;
  REQUIRE(run(commands->clean_up()));
  CHECK(state_of(old) == "ACKNOWLEDGED");
  now += 1ms;
  REQUIRE(run(commands->clean_up()));
  CHECK(state_of(old) == "");
  CHECK(state_of(young) == "PENDING");
}
