#pragma once
#include <cameleer/core/error.hpp>
#include <string>
#include <string_view>

namespace cameleer::server {

/// At most so much of a token somebody pastes.
inline constexpr std::size_t kLongestPastedToken = 64 * 1024;

/// The claims of a signed token (JSON, decoded and not looked at further). Nothing is verified: for a simulation only.
/// `invalid_member` on `/token`: it is none, or an encrypted one.
Expected<std::string> unverified_claims(std::string_view token);

}  // namespace cameleer::server
