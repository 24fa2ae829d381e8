#include <algorithm>
#include <array>
#include <cameleer/core/agent_registry.hpp>
#include <utility>

namespace cameleer::agent {
namespace {

constexpr std::array<std::string_view, 4> kStates{"LIVE", "STALE", "DEAD", "SHUTDOWN"};
constexpr std::array<std::string_view, 6> kTransitions{"REGISTERED", "RE_REGISTERED", "DEREGISTERED",
                                                       "WENT_STALE", "WENT_DEAD",     "RECOVERED"};

void enter(Record& record, State state, Instant now) {
  record.state = state;
  record.state_since = now;
}

}  // namespace

std::string_view name_of(State state) {
  return kStates[static_cast<std::size_t>(state)];
}

std::optional<State> state_of(std::string_view name) {
  const auto* found = std::ranges::find(kStates, name);
  if (found == kStates.end()) return std::nullopt;
  return static_cast<State>(found - kStates.begin());
}

std::string_view name_of(Transition transition) {
  return kTransitions[static_cast<std::size_t>(transition)];
}

Change register_agent(const std::optional<Record>& known, Key key, Description description, std::string key_ref,
                      Instant now) {
  Record record = known.value_or(Record{});
  record.key = std::move(key);
  record.description = std::move(description);
  record.key_ref = std::move(key_ref);
  if (!known || record.state != State::live) enter(record, State::live, now);
  record.registered_at = now;
  record.last_heartbeat_at = now;
  return {std::move(record), known ? Transition::re_registered : Transition::registered};
}

Change heartbeat(Record record, const Heartbeat& beat, Instant now) {
  if (beat.capabilities) record.description.capabilities = *beat.capabilities;
  if (beat.route_states) record.route_states = *beat.route_states;
  record.last_heartbeat_at = std::max(record.last_heartbeat_at, now);
  std::optional<Transition> transition;
  if (record.state != State::live) {
    enter(record, State::live, now);
    transition = Transition::recovered;
  }
  return {std::move(record), transition};
}

Change deregister(Record record, Instant now) {
  if (record.state == State::shutdown) return {std::move(record), std::nullopt};
  enter(record, State::shutdown, now);
  return {std::move(record), Transition::deregistered};
}

Change sweep(Record record, const Settings& settings, Instant now) {
  const Instant stale_at = record.last_heartbeat_at + settings.stale_after;
  if (record.state == State::live && now >= stale_at) {
    enter(record, State::stale, stale_at);
    return {std::move(record), Transition::went_stale};
  }
  const Instant dead_at = record.state_since + settings.dead_after;
  if (record.state == State::stale && now >= dead_at) {
    enter(record, State::dead, dead_at);
    return {std::move(record), Transition::went_dead};
  }
  return {std::move(record), std::nullopt};
}

}  // namespace cameleer::agent
