#pragma once
#include <cameleer/core/instant.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The life of an agent as the server sees it. Pure functions on values; the time is passed in.
///
///     register            silent for `stale_after`        silent for `dead_after` more
///   ──────────► LIVE ────────────────────────────► STALE ─────────────────────────────► DEAD
///                ▲ ◄──────────── heartbeat ──────────┴───────────── heartbeat ───────────┘
///                └── heartbeat or register ── SHUTDOWN ◄── deregister (from any state)
namespace cameleer::agent {

enum class State : std::uint8_t { live, stale, dead, shutdown };
std::string_view name_of(State state);  ///< `LIVE`, `STALE`, `DEAD`, `SHUTDOWN`
std::optional<State> state_of(std::string_view name);

/// What is recorded when a state changes or an agent says who it is.
enum class Transition : std::uint8_t { registered, re_registered, deregistered, went_stale, went_dead, recovered };
std::string_view name_of(Transition transition);  ///< `REGISTERED`, `RE_REGISTERED`, …

struct Settings {
  std::chrono::milliseconds heartbeat_interval{30'000};
  std::chrono::milliseconds stale_after{90'000};  ///< silence that makes a LIVE agent STALE
  std::chrono::milliseconds dead_after{300'000};  ///< time in STALE that makes it DEAD
};

/// An agent is known by (environment, id): the same id in another environment is another agent.
struct Key {
  std::string environment;  ///< slug
  std::string id;
  friend auto operator<=>(const Key&, const Key&) = default;
};

/// What an agent says about itself.
struct Description {
  std::string display_name;
  std::string application;
  std::string version = {};  ///< empty: not told; so the two below
  std::string camel_version = {};
  std::string runtime = {};
  std::vector<std::string> route_ids = {};
  std::string capabilities = "{}";  ///< a JSON object
};

struct Record {
  Key key;
  Description description;
  std::map<std::string, std::string> route_states;  ///< route id to `Started`, `Stopped` or `Suspended`
  State state = State::live;
  Instant registered_at{};      ///< the last registration
  Instant last_heartbeat_at{};  ///< registrations count as heartbeats
  Instant state_since{};
  std::string key_ref;                        ///< API key of the last registration
  std::optional<std::int64_t> clock_skew_ms;  ///< agent's clock minus ours
};

/// A new value of a record and what happened to it.
struct Change {
  Record record;
  std::optional<Transition> transition;
};

/// A first registration, or one that resumes a known agent: LIVE, with the new description; the route states stay.
Change register_agent(const std::optional<Record>& known, Key key, Description description, std::string key_ref,
                      Instant now);

/// What a heartbeat may carry; what is absent stays as it was.
struct Heartbeat {
  std::optional<std::string> capabilities;
  std::optional<std::map<std::string, std::string>> route_states;
};
/// LIVE again from any state (RECOVERED when it was not). A heartbeat older than the last one changes no time.
Change heartbeat(Record record, const Heartbeat& beat, Instant now);

/// SHUTDOWN; nothing happens to an agent that is.
Change deregister(Record record, Instant now);

/// What silence does by `now`. One step a call: an agent found silent for very long is STALE first (since the moment it
/// became so) and DEAD by the next call.
Change sweep(Record record, const Settings& settings, Instant now);

}  // namespace cameleer::agent
