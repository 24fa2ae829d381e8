#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/web/message.hpp>

namespace cameleer::server {

/// `X-Cameleer-Protocol-Version` or `X-Protocol-Version`: 1 or absent; anything else is `unsupported_version`. For all
/// routes that agents use.
Expected<void> check_protocol_version(const web::Request& request);

}  // namespace cameleer::server
