#include <fmt/format.h>
#include <simdjson.h>

#include <cameleer/core/json_writer.hpp>

namespace cameleer {
namespace {

void append_quoted(std::string& json, std::string_view text) {
  const bool valid = simdjson::validate_utf8(text.data(), text.size());
  json += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        json += "\\\"";
        break;
      case '\\':
        json += "\\\\";
        break;
      case '\b':
        json += "\\b";
        break;
      case '\f':
        json += "\\f";
        break;
      case '\n':
        json += "\\n";
        break;
      case '\r':
        json += "\\r";
        break;
      case '\t':
        json += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20)
          fmt::format_to(std::back_inserter(json), "\\u{:04x}", static_cast<unsigned>(c));
        else if (static_cast<unsigned char>(c) >= 0x80 && !valid)
          json += "\xEF\xBF\xBD";
        else
          json += c;
    }
  }
  json += '"';
}

}  // namespace

void JsonWriter::separate() {
  if (!first_ && !after_key_) json_ += ',';
  first_ = false;
  after_key_ = false;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  json_ += bracket;
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  json_ += bracket;
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_quoted(json_, name);
  json_ += ':';
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  append_quoted(json_, value);
  return *this;
}

JsonWriter& JsonWriter::number(std::int64_t value) {
  separate();
  fmt::format_to(std::back_inserter(json_), "{}", value);
  return *this;
}

JsonWriter& JsonWriter::real(double value) {
  separate();
  fmt::format_to(std::back_inserter(json_), "{}", value);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  json_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  json_ += json;
  return *this;
}

}  // namespace cameleer
