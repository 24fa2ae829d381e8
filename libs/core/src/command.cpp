#include <algorithm>
#include <array>
#include <cameleer/core/command.hpp>

namespace cameleer::command {
namespace {

constexpr std::array<std::string_view, 6> kTypes{"config-update",         "deep-trace",      "replay",
                                                 "set-traced-processors", "test-expression", "route-control"};
constexpr std::array<std::string_view, 5> kStates{"PENDING", "DELIVERED", "ACKNOWLEDGED", "FAILED", "EXPIRED"};

template <class Value, std::size_t size>
std::optional<Value> find(const std::array<std::string_view, size>& names, std::string_view name) {
  const auto* found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Value>(found - names.begin());
}

}  // namespace

std::string_view name_of(Type type) {
  return kTypes[static_cast<std::size_t>(type)];
}
std::optional<Type> type_of(std::string_view name) {
  return find<Type>(kTypes, name);
}
std::string_view name_of(State state) {
  return kStates[static_cast<std::size_t>(state)];
}
std::optional<State> state_of(std::string_view name) {
  return find<State>(kStates, name);
}

}  // namespace cameleer::command
