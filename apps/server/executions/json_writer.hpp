#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cameleer::server {

/// Writes JSON into one string. Not recursive, so trees of any depth are fine, and what it writes is always valid JSON:
/// bytes that are no UTF-8 become U+FFFD.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  /// Name of the next member; a literal, written as it is.
  JsonWriter& name(std::string_view literal);
  JsonWriter& text(std::string_view value);
  JsonWriter& number(std::int64_t value);
  JsonWriter& boolean(bool value);
  /// A member whose name comes from data.
  JsonWriter& member(std::string_view name, std::string_view value);

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();
  void quote(std::string_view value);

  std::string out_;
  bool separator_ = false;  // a value stands before
};

}  // namespace cameleer::server
