#include <cameleer/core/error.hpp>

namespace cameleer {
namespace {

using enum ErrorCode;

constexpr ErrorCodeInfo kTable[] = {
    {malformed_request, "malformed_request", 400, "The request is not valid HTTP."},
    {malformed_body, "malformed_body", 400, "The body is not what its content type or encoding says."},
    {invalid_member, "invalid_member", 400, "A member of the body is missing, of a wrong type or out of range."},
    {invalid_parameter, "invalid_parameter", 400, "A path or query parameter is wrong."},
    {weak_password, "weak_password", 400, "The new password breaks a rule for passwords."},
    {unsupported_version, "unsupported_version", 400, "The protocol version is not supported."},
    {unsupported_media_type, "unsupported_media_type", 415, "The content type is not supported."},
    {unsupported_encoding, "unsupported_encoding", 415, "The content encoding is not supported."},
    {body_too_large, "body_too_large", 413, "The body is larger than this route accepts."},
    {headers_too_large, "headers_too_large", 431, "The header section is too large."},
    {request_timeout, "request_timeout", 408, "The request did not arrive in time."},
    {too_many_requests, "too_many_requests", 429, "Too many attempts; try again later."},
    {unauthenticated, "unauthenticated", 401, "Credentials are required."},
    {invalid_token, "invalid_token", 401, "The token is not valid here."},
    {wrong_tenant, "wrong_tenant", 401, "The token is not for this server."},
    {invalid_credentials, "invalid_credentials", 401, "The credentials are wrong."},
    {group_overage, "group_overage", 403, "The provider left the groups out of its token; roles cannot be decided."},
    {account_locked, "account_locked", 423, "The account is locked for a while."},
    {forbidden, "forbidden", 403, "The permission for this is missing."},
    {license_cap_exceeded, "license_cap_exceeded", 403, "The licence does not allow more of these."},
    {foreign_agent, "foreign_agent", 403, "The token belongs to another agent."},
    {foreign_origin, "foreign_origin", 403, "The request comes from another origin."},
    {not_found, "not_found", 404, "There is nothing at this address."},
    {method_not_allowed, "method_not_allowed", 405, "The address exists, but not with this method."},
    {environment_not_found, "environment_not_found", 404, "There is no environment of this name."},
    {execution_not_found, "execution_not_found", 404, "There is no execution of this id."},
    {agent_not_found, "agent_not_found", 404, "There is no agent of this id."},
    {command_not_found, "command_not_found", 404, "There is no command of this id."},
    {api_key_not_found, "api_key_not_found", 404, "There is no API key of this id."},
    {user_not_found, "user_not_found", 404, "There is no user of this id."},
    {role_not_found, "role_not_found", 404, "There is no role of this id."},
    {group_not_found, "group_not_found", 404, "There is no group of this id."},
    {rule_not_found, "rule_not_found", 404, "There is no claim mapping rule of this id."},
    {session_not_found, "session_not_found", 404, "There is no session of this id."},
    {command_settled, "command_settled", 409, "The command has its result already, or is past its life."},
    {conflict, "conflict", 409, "The change conflicts with the present state."},
    {license_rejected, "license_rejected", 422, "The licence is not valid here."},
    {unavailable, "unavailable", 503, "A dependency is not available; try again."},
    {overloaded, "overloaded", 503, "The server is at its bound; try again later."},
    {upstream_timeout, "upstream_timeout", 504, "A dependency did not answer in time."},
    {upstream_error, "upstream_error", 502, "A dependency answered with an error."},
    {bad_configuration, "bad_configuration", 500, "A setting is wrong."},
    {internal, "internal", 500, "An error on our side; quote the request id."},
};

constexpr bool in_order() {
  int expected = 0;
  for (const auto& row : kTable) {
    if (static_cast<int>(row.code) != expected++) return false;
  }
  return expected == static_cast<int>(internal) + 1;
}
static_assert(in_order(), "one row per code, in the order of the enum");

}  // namespace

std::span<const ErrorCodeInfo> error_codes() {
  return kTable;
}

const ErrorCodeInfo& info_of(ErrorCode code) {
  return kTable[static_cast<std::size_t>(code)];
}

}  // namespace cameleer
