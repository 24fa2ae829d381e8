#include <cameleer/postgres/pool.hpp>
#include <charconv>
#include <cmath>

namespace cameleer::postgres {

Parameter::Parameter(std::string value) : text_(std::move(value)) {}
Parameter::Parameter(std::string_view value) : text_(std::string(value)) {}
Parameter::Parameter(const char* value) : text_(value) {}
Parameter::Parameter(bool value) : text_(value ? "t" : "f") {}
Parameter::Parameter(int value) : text_(std::to_string(value)) {}
Parameter::Parameter(std::int64_t value) : text_(std::to_string(value)) {}

Parameter::Parameter(double value) {
  if (std::isnan(value)) {
    text_ = "NaN";
  } else if (std::isinf(value)) {
    text_ = value > 0 ? "Infinity" : "-Infinity";
  } else {
    char buffer[32];
    auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    text_ = std::string(buffer, end);
  }
}

Parameter Parameter::bytea(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "\\x";
  text.reserve(2 + 2 * bytes.size());
  for (unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return Parameter(std::move(text));
}

Parameter Parameter::text_array(std::span<const std::string> values) {
  std::string text = "{";
  for (const auto& value : values) {
    if (text.size() > 1) text += ',';
    text += '"';
    for (char letter : value) {
      if (letter == '"' || letter == '\\') text += '\\';
      text += letter;
    }
    text += '"';
  }
  text += '}';
  return Parameter(std::move(text));
}

}  // namespace cameleer::postgres
