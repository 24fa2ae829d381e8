#pragma once
#include <cameleer/identity/oidc_client.hpp>

namespace cameleer::server {

/// HTTP to OpenID providers as the relying party wants it: no redirects, 10 s an exchange, answers of at most 1 MiB.
/// Keeps connections to the 16 origins used last. The function may be copied and outlives nothing but the executor.
///
/// `bad_configuration`: not an http(s) address, or one with a user name. Else as `web::Client`.
identity::Fetch make_provider_fetch(async::Executor executor, std::string ca_file);

}  // namespace cameleer::server
