#pragma once
#include <cstddef>
#include <string_view>

namespace cameleer::engine {

/// libchdb formats every block of a streamed answer as an answer of its own. Whether those, one after the other, are
/// the answer: true for formats of plain rows and for those whose repeated head `repeated_head` finds.
bool blocks_join(std::string_view format);

/// Bytes at the start of every block but the first that repeat names and types; 0: none.
std::size_t repeated_head(std::string_view format, std::string_view block);

}  // namespace cameleer::engine
