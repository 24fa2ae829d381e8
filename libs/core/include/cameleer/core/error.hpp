#pragma once
#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace cameleer {

/// Every expected failure of Cameleer, as its clients see it. The names (`name_of`) are part of the REST contract: a
/// value may be added, never renamed. `docs/error-codes.md` is generated from the table in error.cpp.
enum class ErrorCode {
  // The request itself.
  malformed_request,    ///< not HTTP as RFC 9110/9112 have it
  malformed_body,       ///< the body is not what its content type says (JSON syntax, UTF-8, gzip, zstd)
  invalid_member,       ///< a member is missing, of a wrong type or out of its range
  invalid_parameter,    ///< a path or query parameter is wrong
  weak_password,        ///< a new password breaks a rule
  unsupported_version,  ///< a protocol version that this server does not speak
  unsupported_media_type,
  unsupported_encoding,
  body_too_large,
  headers_too_large,
  request_timeout,
  too_many_requests,
  // Who asks.
  unauthenticated,  ///< no credentials, or none of a kind this route accepts
  invalid_token,    ///< malformed, tampered, foreign or expired token
  wrong_tenant,     ///< a provider's token for somebody else: other audience, or a required claim is not as it must be
  invalid_credentials,  ///< wrong user name, password or API key
  group_overage,  ///< the provider left the groups out of the token (too many): rules about groups cannot be evaluated
  account_locked,
  forbidden,
  license_cap_exceeded,  ///< a creation that the licence's cap does not allow; the problem document holds the envelope
  foreign_agent,         ///< a token of one agent used on the path of another
  foreign_origin,        ///< a browser's mutation from another origin
  // What is asked for.
  not_found,
  method_not_allowed,
  environment_not_found,
  execution_not_found,
  agent_not_found,
  command_not_found,
  api_key_not_found,
  user_not_found,
  role_not_found,
  group_not_found,
  rule_not_found,
  session_not_found,
  command_settled,  ///< a command that has its result already, or is past its life
  conflict,
  license_rejected,  ///< a licence, or a revocation list, that does not validate here; `reason` says why
  // What the server depends on.
  unavailable,  ///< a dependency is down; try again
  overloaded,   ///< a bound is reached; try again after `Retry-After`
  upstream_timeout,
  upstream_error,     ///< a dependency answered with an error
  bad_configuration,  ///< a setting is wrong: the start ends with it
  internal,           ///< a bug of ours; the request id is all that a client gets
};

struct ErrorCodeInfo {
  ErrorCode code;
  std::string_view name;  ///< stable, snake_case: `code` in a problem document
  int http_status;
  std::string_view meaning;  ///< one sentence for the docs and `title`
};

/// All codes, in the order of the enum.
std::span<const ErrorCodeInfo> error_codes();
const ErrorCodeInfo& info_of(ErrorCode code);
inline std::string_view name_of(ErrorCode code) {
  return info_of(code).name;
}

/// An expected failure. `message` is a sentence for the caller and holds no secret and no inner text (SQL, stack).
/// `member` names what was wrong, when one thing was: a JSON pointer (`/2/startTime`), a parameter or a setting.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  std::string member = {};
};

template <class T>
using Expected = std::expected<T, Error>;

/// `return fail(ErrorCode::not_found, "…")`.
inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string member = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(member)});
}

}  // namespace cameleer
