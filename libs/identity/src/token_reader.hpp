#pragma once
#include <simdjson.h>

#include <cameleer/core/instant.hpp>
#include <cameleer/identity/jwt.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace cameleer::identity {

/// The three parts of a compact token, in place.
struct TokenParts {
  std::string_view header, payload, signature, signed_text;
};

/// Length, characters and shape; no byte has been decoded.
std::expected<TokenParts, TokenRejection> split_token(std::string_view token, std::size_t most_bytes);

/// A JSON object whose members are each there once. Owns what its values point to.
class TokenObject {
 public:
  static std::optional<TokenObject> parse(std::string text, std::size_t most_depth);
  static std::optional<TokenObject> decode(std::string_view base64url_text, std::size_t most_depth);

  [[nodiscard]] std::optional<simdjson::dom::element> find(std::string_view name) const;
  /// The text of a member, empty when it is not there: `ok` turns false when it is there and no string.
  [[nodiscard]] std::string text(std::string_view name, bool& ok) const;
  /// Whole seconds since 1970, as our own tokens have them.
  [[nodiscard]] std::optional<Instant> instant(std::string_view name, bool& ok) const;
  /// A NumericDate (RFC 7519, 2) of anybody's token: a fraction is dropped.
  [[nodiscard]] std::optional<Instant> numeric_date(std::string_view name, bool& ok) const;
  [[nodiscard]] const std::string& json() const { return *text_; }

 private:
  std::unique_ptr<std::string> text_;
  std::unique_ptr<simdjson::dom::parser> parser_;
  simdjson::dom::object members_;
};

}  // namespace cameleer::identity
