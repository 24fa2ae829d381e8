#pragma once
#include <array>
#include <cameleer/core/json_members.hpp>
#include <cstring>
#include <optional>

/// Members of JSON as views into the parsed document: nothing is copied before it is known to be stored. Like
/// JsonMembers, whose errors they share: the first wrong member ends it, `null` counts as absent, of two members of one
/// name the last counts.
namespace cameleer::server {

/// Texts without a NUL that are used as names. `characters`: most of them.
bool read_name(JsonMembers& members, std::string_view member, JsonMembers::Element value, std::string_view& into,
               std::size_t characters);
bool read_text(JsonMembers& members, std::string_view member, JsonMembers::Element value, std::string_view& into);

/// A map from text to text, looked through once when it is read and once when it is stored.
class MapView {
 public:
  MapView() = default;
  explicit MapView(simdjson::dom::object object, std::size_t entries) : object_(object), entries_(entries) {}

  [[nodiscard]] bool empty() const { return entries_ == 0; }
  /// `visit(name, value)` for each entry in its order; false ends it.
  template <class Visit>
  void each(Visit visit) const {
    if (empty()) return;
    for (const auto field : object_) {
      std::string_view text;
      if (field.value.get(text) == simdjson::SUCCESS && !visit(field.key, text)) return;
    }
  }

 private:
  simdjson::dom::object object_;
  std::size_t entries_ = 0;
};

/// `null` entries are left out; more than `most` are refused.
bool read_map(JsonMembers& members, std::string_view member, JsonMembers::Element value, std::size_t most,
              MapView& into);

/// Reads instants; those of one minute, as requests have them, cost little after the first.
class InstantReader {
 public:
  bool read(JsonMembers& members, std::string_view member, JsonMembers::Element value, std::optional<Instant>& into);

 private:
  static constexpr std::size_t kMinute = 17;  // 2026-11-22T01:02:
  [[nodiscard]] std::optional<Instant> within_known_minute(std::string_view text) const;

  std::array<char, kMinute> known_{};
  Instant minute_{};
};

/// Finds the rule of a member: that which follows the last one found, as members mostly come in the order of the table,
/// else by a hash.
template <class Record>
class MemberTable {
 public:
  template <std::size_t N>
  consteval explicit MemberTable(const MemberRule<Record> (&rules)[N]) : rules_(rules) {
    static_assert(N <= kSlots / 2);
    slots_.fill(kNone);
    for (std::size_t i = 0; i < N; ++i) {
      auto slot = slot_of(rules[i].name);
      while (slots_[slot] != kNone) slot = (slot + 1) % kSlots;
      slots_[slot] = static_cast<std::uint8_t>(i);
    }
  }

  /// Null: nobody knows it.
  const MemberRule<Record>* find(std::string_view name, std::size_t& next) const {
    if (next < rules_.size() && rules_[next].name == name) return &rules_[next++];
    for (auto slot = slot_of(name); slots_[slot] != kNone; slot = (slot + 1) % kSlots) {
      const std::size_t index = slots_[slot];
      if (rules_[index].name != name) continue;
      next = index + 1;
      return &rules_[index];
    }
    return nullptr;
  }

 private:
  static constexpr std::size_t kSlots = 128;
  static constexpr std::uint8_t kNone = 0xFF;
  static constexpr std::size_t slot_of(std::string_view name) {
    if (name.empty()) return 0;
    const auto at = [name](std::size_t index) {
      return static_cast<std::size_t>(static_cast<unsigned char>(name[index]));
    };
    return (name.size() + at(0) * 3 + at(name.size() / 2) * 5 + at(name.size() - 1) * 11) % kSlots;
  }

  std::span<const MemberRule<Record>> rules_;
  std::array<std::uint8_t, kSlots> slots_{};
};

/// Reads every member of `object` that the table knows; others are left out.
template <class Record>
bool read_members(JsonMembers& members, simdjson::dom::object object, const MemberTable<Record>& table, Record& into) {
  std::size_t next = 0;
  for (const auto field : object) {
    const auto* rule = table.find(field.key, next);
    if (rule && !rule->read(members, rule->name, field.value, into)) return false;
  }
  return true;
}

}  // namespace cameleer::server
