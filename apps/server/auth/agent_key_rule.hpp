#pragma once
#include <cameleer/identity/keys.hpp>
#include <cameleer/web/router.hpp>

namespace cameleer::server {

/// Agents learn by registering which key signs their commands. One that opens its stream, or refreshes, with a token of
/// the root before a rotation is told to register again (`invalid_token`), so that it knows the new key before a
/// command comes. What it sends goes on with the old token meanwhile. `keys` outlive the server.
web::Authorizer with_agent_key_rule(web::Authorizer authorize, const identity::Keys& keys);

}  // namespace cameleer::server
