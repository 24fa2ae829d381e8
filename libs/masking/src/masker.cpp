#include <cameleer/masking/masker.hpp>

#include "mask_spans.hpp"

namespace cameleer {
namespace {

std::string replace(std::string_view text, const std::vector<Span>& spans, std::string_view by) {
  std::string result;
  result.reserve(text.size());
  std::size_t at = 0;
  for (const auto& span : spans) {
    result.append(text, at, span.begin - at).append(by);
    at = span.end;
  }
  return result.append(text, at);
}

}  // namespace

struct Masker::Parsers {
  JsonMask json;
};

Masker::Masker(std::shared_ptr<const SensitiveKeys> keys)
    : keys_(std::move(keys)), parsers_(std::make_unique<Parsers>()) {}
Masker::~Masker() = default;
Masker::Masker(Masker&&) noexcept = default;
Masker& Masker::operator=(Masker&&) noexcept = default;

std::optional<std::string> Masker::masked(std::string_view body) {
  const auto first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || keys_->empty()) return std::nullopt;
  const bool markup = body[first] == '<' || body.starts_with("\xEF\xBB\xBF<");
  if (!markup && body[first] != '{' && body[first] != '[') return std::nullopt;
  const auto spans = markup ? find_xml_spans(body, *keys_) : parsers_->json.find(body, *keys_);
  if (!spans || spans->empty()) return std::nullopt;
  return replace(body, *spans, markup ? masked_value : "\"***\"");
}

}  // namespace cameleer
