#include <fmt/format.h>

#include <cameleer/clickhouse/client.hpp>

namespace cameleer::clickhouse {
namespace {

/// ClickHouse's escapes for TSV fields and for quoted strings alike.
void escape_into(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\0':
        out += "\\0";
        break;
      case '\'':
        out += "\\'";
        break;
      default:
        out.push_back(c);
    }
  }
}

}  // namespace

Parameter Parameter::text(std::string name, std::string_view value) {
  std::string escaped;
  escaped.reserve(value.size() + 16);
  escape_into(escaped, value);
  return {std::move(name), std::move(escaped)};
}

Parameter Parameter::integer(std::string name, std::int64_t value) {
  return {std::move(name), std::to_string(value)};
}

Parameter Parameter::instant(std::string name, std::int64_t milliseconds) {
  // Seconds with a fraction: a plain number would be read as seconds.
  const std::int64_t seconds = milliseconds / 1'000;
  return {std::move(name), fmt::format("{}.{:03}", seconds, std::abs(milliseconds - seconds * 1'000))};
}

Parameter Parameter::texts(std::string name, std::span<const std::string> values) {
  std::string list = "[";
  for (const auto& value : values) {
    if (list.size() > 1) list.push_back(',');
    list.push_back('\'');
    escape_into(list, value);
    list.push_back('\'');
  }
  list.push_back(']');
  return {std::move(name), std::move(list)};
}

}  // namespace cameleer::clickhouse
