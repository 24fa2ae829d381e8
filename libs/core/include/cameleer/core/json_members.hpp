#pragma once
#include <simdjson.h>

#include <cameleer/core/error.hpp>
#include <cameleer/core/execution.hpp>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cameleer {

/// Reads members of JSON into plain values and knows where it is. The first wrong member ends it: each reader returns
/// false then, and `error` says what. A member that is `null` counts as absent.
class JsonMembers {
 public:
  using Element = simdjson::dom::element;

  std::optional<Error> error;

  /// The element or member that the following members belong to.
  void enter(std::size_t index) { path_.emplace_back(index); }
  void enter(std::string_view member) { path_.emplace_back(member); }
  void leave() { path_.pop_back(); }

  /// Sets the error for a member (empty: the present element itself); returns false. `rule` goes on after "… ".
  bool refuse(std::string_view member, std::string_view rule);

  bool text(std::string_view member, Element value, std::string& into);
  /// Text without NUL, of at most `characters`.
  bool name(std::string_view member, Element value, std::string& into, std::size_t characters);
  bool instant(std::string_view member, Element value, std::optional<Instant>& into);
  bool milliseconds(std::string_view member, Element value, std::optional<std::int64_t>& into);
  bool index(std::string_view member, Element value, std::optional<std::int32_t>& into);
  bool sequence(std::string_view member, Element value, std::optional<std::uint32_t>& into);
  bool boolean(std::string_view member, Element value, std::optional<bool>& into);
  bool map(std::string_view member, Element value, StringMap& into, std::size_t most);
  bool body(std::string_view member, Element value, std::optional<Body>& into);

 private:
  bool whole(std::string_view member, Element value, std::int64_t most, std::optional<std::int64_t>& into);
  [[nodiscard]] std::string pointer(std::string_view member) const;

  std::vector<std::variant<std::size_t, std::string_view>> path_;
};

/// One row of a table that says how the members of a record are read.
template <class Record>
struct MemberRule {
  std::string_view name;
  bool (*read)(JsonMembers& members, std::string_view name, JsonMembers::Element value, Record& into);
};

/// Reads every member of `object` that the table knows; others are left out. Members usually come in the order of the
/// table, so the search goes on where the last one was found.
template <class Record>
bool read_members(JsonMembers& members, simdjson::dom::object object, std::span<const MemberRule<Record>> rules,
                  Record& into) {
  std::size_t next = 0;
  for (const auto field : object) {
    for (std::size_t tried = 0; tried < rules.size(); ++tried) {
      const auto& rule = rules[next];
      next = next + 1 == rules.size() ? 0 : next + 1;
      if (rule.name != field.key) continue;
      if (!rule.read(members, rule.name, field.value, into)) return false;
      break;
    }
  }
  return true;
}

}  // namespace cameleer
