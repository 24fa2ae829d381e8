#pragma once
#include <string>
#include <string_view>

namespace cameleer::postgres {

/// A name as SQL takes it whatever it contains: in double quotes, with those inside doubled.
inline std::string quoted(std::string_view identifier) {
  std::string text = "\"";
  for (char letter : identifier) {
    if (letter == '"') text += '"';
    text += letter;
  }
  return text + '"';
}

}  // namespace cameleer::postgres
