#pragma once
#include <cameleer/core/sensitive_keys.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cameleer {

/// Bytes of a text that a mask replaces.
struct Span {
  std::size_t begin = 0, end = 0;
};

/// Finds what to mask, in order and without overlap. Absent: the text is not of this format, or
/// nothing is to be masked.
class JsonMask {
 public:
  JsonMask();
  ~JsonMask();
  std::optional<std::vector<Span>> find(std::string_view text, const SensitiveKeys& keys);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::optional<std::vector<Span>> find_xml_spans(std::string_view text, const SensitiveKeys& keys);

}  // namespace cameleer
