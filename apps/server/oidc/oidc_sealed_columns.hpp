#pragma once
#include <span>

#include "server/auth/key_rotation.hpp"

/// Where secrets of the OpenID sign-in are at rest: the contexts that they are sealed with, and the columns.
namespace cameleer::server {

inline constexpr std::string_view kOidcSecretPlace = "oidc.client-secret";
std::string oidc_attempt_place(std::string_view state_hash);
std::string oidc_session_place(std::string_view session_hash);

std::span<const SealedColumn> oidc_sealed_columns();

}  // namespace cameleer::server
