#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace cameleer {

/// RFC 4648 section 4 with padding. Decoding takes the only text that `base64` gives for the result, or nothing: no
/// white space, no other alphabet, no missing padding, no bits that do not count in the last character (such a text
/// would be a second spelling of the same bytes).
std::string base64(std::string_view bytes);
std::optional<std::string> decode_base64(std::string_view text);

/// RFC 4648 section 5 without padding, just as strict.
std::string base64url(std::string_view bytes);
std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace cameleer
