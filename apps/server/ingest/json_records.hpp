#pragma once
#include <cameleer/core/json_members.hpp>
#include <functional>
#include <initializer_list>
#include <optional>

namespace cameleer::server {

/// Reads one element of a body; false: `members.error` says why.
using ReadElement = std::function<bool(JsonMembers& members, std::size_t index, JsonMembers::Element element)>;

/// Parses the whole of `body` (grown by simdjson's padding when its capacity does not hold it) and gives each object of
/// it to `read`: the only one, or those of the array, at most `most`.
Expected<void> for_each_element(std::string& body, std::size_t most, const ReadElement& read);

/// Refuses the first member that is not present.
bool require(JsonMembers& members, std::initializer_list<std::pair<std::string_view, bool>> given);

bool read_object(JsonMembers& members, JsonMembers::Element value, simdjson::dom::object& into);
bool read_list(JsonMembers& members, std::string_view member, JsonMembers::Element value,
               std::optional<simdjson::dom::array>& into);

/// A value of any shape as compact JSON text, to be stored as such. Deeper than `depth` levels or larger than `bytes`
/// is refused.
bool read_json(JsonMembers& members, std::string_view member, JsonMembers::Element value, std::size_t depth,
               std::size_t bytes, std::string& into);

}  // namespace cameleer::server
