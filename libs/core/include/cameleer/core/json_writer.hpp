#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace cameleer {

/// Writes JSON without white space, member by member, in the order of the calls. Not recursive, so trees of any depth
/// are fine. The caller keeps the nesting right; in texts only what JSON demands is escaped, and bytes that are no
/// UTF-8 become U+FFFD.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& text(std::string_view value);
  JsonWriter& number(std::int64_t value);
  JsonWriter& real(double value);  ///< the shortest text that reads back as it; finite
  JsonWriter& boolean(bool value);
  JsonWriter& raw(std::string_view json);  ///< a value that is JSON already

  std::string take() { return std::move(json_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string json_;
  bool first_ = true;  // nothing before in this object or array
  bool after_key_ = false;
};

}  // namespace cameleer
