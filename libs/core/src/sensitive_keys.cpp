#include <algorithm>
#include <cameleer/core/sensitive_keys.hpp>

#include "mask_spans.hpp"

namespace cameleer {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

// Greedy with one point of return: linear for one `*`, at worst |glob| * |text|.
bool glob_matches(std::string_view glob, std::string_view text) {
  std::size_t g = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (g < glob.size() && (glob[g] == '?' || (glob[g] != '*' && glob[g] == text[t]))) {
      ++g, ++t;
    } else if (g < glob.size() && glob[g] == '*') {
      star = g++;
      resume = t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

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

std::vector<std::string> default_sensitive_keys() {
  return {"Authorization", "Cookie", "Set-Cookie", "X-API-Key", "X-Auth-Token", "Proxy-Authorization"};
}

SensitiveKeys::SensitiveKeys(std::span<const std::string> keys) {
  for (const auto& key : keys) {
    if (key.empty()) continue;
    if (key.find_first_of("*?") == std::string::npos) {
      longest_exact_ = std::max(longest_exact_, key.size());
      exact_.insert(lowered(key));
    } else {
      globs_.push_back(lowered(key));
    }
  }
}

bool SensitiveKeys::matches(std::string_view name) const {
  if (globs_.empty() && name.size() > longest_exact_) return false;
  const auto folded = lowered(name);
  if (exact_.contains(folded)) return true;
  return std::any_of(globs_.begin(), globs_.end(), [&](const auto& glob) { return glob_matches(glob, folded); });
}

struct Masker::Parsers {
  JsonMask json;
};

Masker::Masker(std::shared_ptr<const SensitiveKeys> keys)
    : keys_(std::move(keys)), parsers_(std::make_unique<Parsers>()) {}
Masker::~Masker() = default;
Masker::Masker(Masker&&) noexcept = default;
Masker& Masker::operator=(Masker&&) noexcept = default;

void Masker::mask(StringMap& map) const {
  for (auto& [name, value] : map) {
    if (keys_->matches(name)) value = masked_value;
  }
}

bool Masker::mask_body(std::string& body) {
  const auto first = body.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || keys_->empty()) return false;
  const bool markup = body[first] == '<' || body.starts_with("\xEF\xBB\xBF<");
  if (!markup && body[first] != '{' && body[first] != '[') return false;
  const auto spans = markup ? find_xml_spans(body, *keys_) : parsers_->json.find(body, *keys_);
  if (!spans || spans->empty()) return false;
  body = replace(body, *spans, markup ? masked_value : "\"***\"");
  return true;
}

void Masker::mask(Message& message) {
  mask(message.input_headers);
  mask(message.output_headers);
  if (message.input_body) mask_body(message.input_body->text);
  if (message.output_body) mask_body(message.output_body->text);
}

void Masker::mask(Execution& execution) {
  mask(execution.attributes);
  mask(execution.message);
}

void Masker::mask(ProcessorExecution& processor) {
  mask(processor.attributes);
  mask(processor.message);
}

}  // namespace cameleer
