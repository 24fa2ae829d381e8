#pragma once
#include <string>
#include <string_view>

namespace cameleer::identity {

/// A request's path as it may be logged and audited: a segment that looks like an API key or a token, put there by
/// mistake, is `***`.
std::string without_credentials(std::string_view path);

}  // namespace cameleer::identity
