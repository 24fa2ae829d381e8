#include <cameleer/core/agent_registry.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::agent;
using namespace std::chrono_literals;

namespace {

const Instant kStart = instant_of(1'800'000'000'000);
const Settings kSettings;

Record live_agent() {
  return register_agent(std::nullopt, {"default", "orders-1"}, {.display_name = "orders-1", .application = "orders"},
                        "key-1", kStart)
      .record;
}

Record agent_in(State state) {
  auto record = live_agent();
  record.state = state;
  record.state_since = kStart;
  return record;
}

}  // namespace

TEST_CASE("an agent goes stale and dead at the exact millisecond") {
  struct Row {
    State before;
    std::chrono::milliseconds after;
    State then;
    std::optional<Transition> transition;
  };
  const Row rows[] = {
      {State::live, 0ms, State::live, std::nullopt},
      {State::live, 89'999ms, State::live, std::nullopt},
      {State::live, 90'000ms, State::stale, Transition::went_stale},
      {State::live, 24h, State::stale, Transition::went_stale},
      {State::live, -5s, State::live, std::nullopt},
      {State::stale, 299'999ms, State::stale, std::nullopt},
      {State::stale, 300'000ms, State::dead, Transition::went_dead},
      {State::dead, 240h, State::dead, std::nullopt},
      {State::shutdown, 240h, State::shutdown, std::nullopt},
  };
  for (const auto& row : rows) {
    CAPTURE(name_of(row.before), row.after.count());
    const auto change = sweep(agent_in(row.before), kSettings, kStart + row.after);
    CHECK(change.record.state == row.then);
    CHECK(change.transition == row.transition);
  }
}

TEST_CASE("a long silence is dated by when it happened, not by when it was noticed") {
  auto change = sweep(live_agent(), kSettings, kStart + 1h);
  CHECK(change.record.state_since == kStart + 90s);
  change = sweep(change.record, kSettings, kStart + 1h);
  CHECK(change.record.state == State::dead);
  CHECK(change.record.state_since == kStart + 390s);
  CHECK(change.transition == Transition::went_dead);
}

TEST_CASE("the three clocks are settings") {
  const Settings quick{.heartbeat_interval = 1s, .stale_after = 3s, .dead_after = 2s};
  CHECK(sweep(live_agent(), quick, kStart + 2'999ms).record.state == State::live);
  CHECK(sweep(live_agent(), quick, kStart + 3s).record.state == State::stale);
  CHECK(sweep(agent_in(State::stale), quick, kStart + 2s).record.state == State::dead);
}

TEST_CASE("a heartbeat makes an agent live from every state") {
  for (const auto state : {State::live, State::stale, State::dead, State::shutdown}) {
    CAPTURE(name_of(state));
    const auto change = heartbeat(agent_in(state), {}, kStart + 10s);
    CHECK(change.record.state == State::live);
    CHECK(change.record.last_heartbeat_at == kStart + 10s);
    if (state == State::live) {
      CHECK(change.transition == std::nullopt);
      CHECK(change.record.state_since == kStart);
    } else {
      CHECK(change.transition == Transition::recovered);
      CHECK(change.record.state_since == kStart + 10s);
    }
  }
}

TEST_CASE("a heartbeat changes what it carries and nothing else, and never turns time back") {
  auto record = live_agent();
  record.description.capabilities = R"({"replay":true})";
  record.route_states = {{"intake", "Started"}};
  auto change = heartbeat(record, {}, kStart + 1s);
  CHECK(change.record.description.capabilities == R"({"replay":true})");
  CHECK(change.record.route_states.at("intake") == "Started");
  change = heartbeat(change.record, {.capabilities = "{}", .route_states = {{{"intake", "Stopped"}}}}, kStart);
  CHECK(change.record.description.capabilities == "{}");
  CHECK(change.record.route_states.at("intake") == "Stopped");
  CHECK(change.record.last_heartbeat_at == kStart + 1s);
}

TEST_CASE("deregistering shuts down once") {
  for (const auto state : {State::live, State::stale, State::dead}) {
    const auto change = deregister(agent_in(state), kStart + 5s);
    CHECK(change.record.state == State::shutdown);
    CHECK(change.record.state_since == kStart + 5s);
    CHECK(change.transition == Transition::deregistered);
  }
  const auto again = deregister(agent_in(State::shutdown), kStart + 5s);
  CHECK(again.transition == std::nullopt);
  CHECK(again.record.state_since == kStart);
}

TEST_CASE("registering again resumes the agent with its new description and key") {
  auto known = agent_in(State::dead);
  known.route_states = {{"intake", "Stopped"}};
  const auto change =
      register_agent(known, known.key, {.display_name = "Orders", .application = "orders-2"}, "key-2", kStart + 1h);
  CHECK(change.transition == Transition::re_registered);
  CHECK(change.record.state == State::live);
  CHECK(change.record.state_since == kStart + 1h);
  CHECK(change.record.registered_at == kStart + 1h);
  CHECK(change.record.description.application == "orders-2");
  CHECK(change.record.key_ref == "key-2");
  CHECK(change.record.route_states.at("intake") == "Stopped");
  CHECK(register_agent(std::nullopt, known.key, {}, "key-1", kStart).transition == Transition::registered);
}

TEST_CASE("states have the names of the protocol, both ways") {
  for (const auto state : {State::live, State::stale, State::dead, State::shutdown}) {
    CHECK(state_of(name_of(state)) == state);
  }
  CHECK(name_of(State::shutdown) == "SHUTDOWN");
  CHECK_FALSE(state_of("live"));
  CHECK(name_of(Transition::re_registered) == "RE_REGISTERED");
}
