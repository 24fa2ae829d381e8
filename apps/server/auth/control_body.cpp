#include "server/auth/control_body.hpp"

#include <simdjson.h>

#include <set>

namespace cameleer::server {
namespace {

namespace dom = simdjson::dom;
constexpr std::size_t kMaxDepth = 64;

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

std::string pointer_to(std::string_view member) {
  std::string pointer = "/";
  for (const char c : member) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
  return pointer;
}

std::string length_rule(std::size_t shortest, std::size_t longest) {
  return shortest == 0 ? fmt::format("must have at most {} bytes", longest)
                       : fmt::format("must have {} to {} bytes", shortest, longest);
}

/// The first member that is there twice, at any depth.
std::optional<std::string> repeated_member(const dom::element& element) {
  dom::object object;
  dom::array array;
  if (element.get(object) == simdjson::SUCCESS) {
    std::set<std::string_view> names;
    for (const auto member : object) {
      if (!names.insert(member.key).second) return pointer_to(member.key);
      if (auto inner = repeated_member(member.value)) return pointer_to(member.key) + *inner;
    }
  } else if (element.get(array) == simdjson::SUCCESS) {
    std::size_t index = 0;
    for (const auto item : array) {
      if (auto inner = repeated_member(item)) return fmt::format("/{}{}", index, *inner);
      ++index;
    }
  }
  return std::nullopt;
}

std::string reason_of(simdjson::error_code code) {
  switch (code) {
    case simdjson::DEPTH_ERROR:
      return fmt::format("The body is nested deeper than {} levels.", kMaxDepth);
    case simdjson::UTF8_ERROR:
      return "The body is not valid UTF-8.";
    case simdjson::EMPTY:
      return "The body is empty; a JSON object is required.";
    default:
      return "The body is not valid JSON.";
  }
}

}  // namespace

struct ControlBody::Document {
  dom::parser parser;
  dom::object object;

  [[nodiscard]] std::optional<dom::element> find(std::string_view member) const {
    dom::element element;
    if (object.at_key(member).get(element) != simdjson::SUCCESS) return std::nullopt;
    return element;
  }
};

ControlBody::ControlBody(const web::Request& request, Empty empty) : document_(std::make_unique<Document>()) {
  const std::string_view body =
      request.body.empty() && empty == Empty::allowed ? std::string_view("{}") : std::string_view(request.body);
  auto error = document_->parser.allocate(std::max<std::size_t>(body.size(), 64), kMaxDepth);
  dom::element root;
  if (!error) error = document_->parser.parse(body.data(), body.size(), /*realloc_if_needed=*/true).get(root);
  if (error) {
    failure_ = Error{ErrorCode::malformed_body, reason_of(error)};
  } else if (root.get(document_->object) != simdjson::SUCCESS) {
    failure_ = Error{ErrorCode::malformed_body, "The body must be a JSON object."};
  } else if (auto repeated = repeated_member(root)) {
    failure_ = Error{ErrorCode::invalid_member, *repeated + ": must not be there twice", *repeated};
  }
}

ControlBody::~ControlBody() = default;

void ControlBody::refuse(std::string_view member, std::string rule) {
  if (failure_) return;
  auto pointer = member.starts_with('/') ? std::string(member) : pointer_to(member);
  failure_ = Error{ErrorCode::invalid_member, pointer + ": " + rule, pointer};
}

std::optional<std::string> ControlBody::optional_text(std::string_view member, std::size_t shortest,
                                                      std::size_t longest) {
  if (failure_) return std::nullopt;
  const auto element = document_->find(member);
  if (!element || element->is_null()) return std::nullopt;
  std::string_view text;
  if (element->get(text) != simdjson::SUCCESS) {
    refuse(member, "must be a string");
  } else if (has_nul(text)) {
    refuse(member, "must not contain NUL");
  } else if (text.size() > longest || text.size() < shortest) {
    refuse(member, length_rule(shortest, longest));
  } else if (shortest > 0 && text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    refuse(member, "must not be blank");
  } else {
    return std::string(text);
  }
  return std::nullopt;
}

std::string ControlBody::text(std::string_view member, std::size_t shortest, std::size_t longest) {
  auto value = optional_text(member, shortest, longest);
  if (!value) refuse(member, "is required");
  return value.value_or("");
}

bool ControlBody::has(std::string_view member) const {
  return !failure_ && document_->find(member).has_value();
}

std::optional<bool> ControlBody::optional_boolean(std::string_view member) {
  if (failure_) return std::nullopt;
  const auto element = document_->find(member);
  if (!element || element->is_null()) return std::nullopt;
  bool value = false;
  if (element->get(value) == simdjson::SUCCESS) return value;
  refuse(member, "must be true or false");
  return std::nullopt;
}

std::optional<std::int64_t> ControlBody::optional_integer(std::string_view member, std::int64_t least,
                                                          std::int64_t most) {
  if (failure_) return std::nullopt;
  const auto element = document_->find(member);
  if (!element || element->is_null()) return std::nullopt;
  std::int64_t value = 0;
  if (element->is_int64() && element->get(value) == simdjson::SUCCESS && value >= least && value <= most) return value;
  refuse(member, fmt::format("must be a whole number from {} to {}", least, most));
  return std::nullopt;
}

std::vector<std::string> ControlBody::texts(std::string_view member, std::size_t most, std::size_t longest) {
  std::vector<std::string> values;
  if (failure_) return values;
  const auto element = document_->find(member);
  if (!element || element->is_null()) return values;
  dom::array array;
  if (element->get(array) != simdjson::SUCCESS) {
    refuse(member, "must be an array of strings");
    return values;
  }
  for (const auto item : array) {
    std::string_view text;
    const auto at = fmt::format("{}/{}", pointer_to(member), values.size());
    if (values.size() == most)
      refuse(member, fmt::format("must have at most {} elements", most));
    else if (item.get(text) != simdjson::SUCCESS)
      refuse(at, "must be a string");
    else if (has_nul(text))
      refuse(at, "must not contain NUL");
    else if (text.empty() || text.size() > longest)
      refuse(at, length_rule(1, longest));
    if (failure_) return {};
    values.emplace_back(text);
  }
  return values;
}

std::optional<std::map<std::string, std::string>> ControlBody::text_map(std::string_view member, std::size_t most,
                                                                        std::size_t longest) {
  if (failure_) return std::nullopt;
  const auto element = document_->find(member);
  if (!element || element->is_null()) return std::nullopt;
  dom::object object;
  if (element->get(object) != simdjson::SUCCESS) {
    refuse(member, "must be an object of strings");
    return std::nullopt;
  }
  std::map<std::string, std::string> values;
  for (const auto item : object) {
    std::string_view text;
    const auto at = pointer_to(member) + pointer_to(item.key);
    if (values.size() == most)
      refuse(member, fmt::format("must have at most {} members", most));
    else if (item.value.get(text) != simdjson::SUCCESS)
      refuse(at, "must be a string");
    else if (has_nul(item.key) || has_nul(text))
      refuse(member, "must not contain NUL");
    else if (item.key.size() > longest || text.size() > longest)
      refuse(member, length_rule(0, longest));
    if (failure_) return std::nullopt;
    values.emplace(item.key, text);
  }
  return values;
}

std::optional<std::string> ControlBody::object(std::string_view member, std::size_t longest) {
  if (failure_) return std::nullopt;
  const auto element = document_->find(member);
  if (!element || element->is_null()) return std::nullopt;
  dom::object object;
  if (element->get(object) != simdjson::SUCCESS) {
    refuse(member, "must be an object");
    return std::nullopt;
  }
  auto text = simdjson::minify(object);
  // jsonb holds no NUL character, which minified JSON spells \u0000.
  if (text.find("\\u0000") != std::string::npos)
    refuse(member, "must not contain NUL");
  else if (text.size() > longest)
    refuse(member, length_rule(0, longest));
  if (failure_) return std::nullopt;
  return text;
}

}  // namespace cameleer::server
