#include "server/executions/json_writer.hpp"

#include <fmt/format.h>
#include <simdjson.h>

namespace cameleer::server {

void JsonWriter::separate() {
  if (separator_) out_ += ',';
  separator_ = true;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  separator_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  separator_ = true;
  return *this;
}

JsonWriter& JsonWriter::name(std::string_view literal) {
  separate();
  out_.append("\"").append(literal).append("\":");
  separator_ = false;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  quote(value);
  return *this;
}

JsonWriter& JsonWriter::number(std::int64_t value) {
  separate();
  out_ += std::to_string(value);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::member(std::string_view name, std::string_view value) {
  separate();
  quote(name);
  out_ += ':';
  quote(value);
  return *this;
}

void JsonWriter::quote(std::string_view value) {
  const bool valid = simdjson::validate_utf8(value.data(), value.size());
  out_ += '"';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      (out_ += '\\') += c;
    else if (c == '\n')
      out_ += "\\n";
    else if (c == '\r')
      out_ += "\\r";
    else if (c == '\t')
      out_ += "\\t";
    else if (byte < 0x20)
      out_ += fmt::format("\\u{:04x}", byte);
    else if (byte >= 0x80 && !valid)
      out_ += "\xEF\xBF\xBD";
    else
      out_ += c;
  }
  out_ += '"';
}

}  // namespace cameleer::server
