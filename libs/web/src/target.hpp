#pragma once
#include <cameleer/web/message.hpp>

#include "refusal.hpp"

/// Request targets (RFC 9112, 3.2.1; RFC 3986): the only place where percent-encoding is undone.
namespace cameleer::web {

inline constexpr std::size_t kMaxTargetBytes = 8 * 1024;

/// Fills `path` (decoded, base path included) and `query` of `request` from `request.target`. Refuses what is not
/// origin-form, bad percent-encoding, NUL, dot segments (also encoded ones), text that is not UTF-8.
Checked<void> parse_target(Request& request);

/// The part before `?`, still encoded: what the router splits.
std::string_view raw_path(std::string_view target);

/// Undoes percent-encoding that `parse_target` has checked before.
std::string decode_checked(std::string_view text, bool plus_is_space = false);

}  // namespace cameleer::web
