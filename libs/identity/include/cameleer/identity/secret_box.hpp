#pragma once
#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/keys.hpp>

namespace cameleer::identity {

/// Encrypts a secret for a place at rest: AES-256-GCM with `keys.secrets()`, a random nonce, and `context` (the place,
/// such as `oidc.client-secret`) authenticated with it, so that a stored value cannot be moved to another place. The
/// text is `v1.<key id>.<base64url of nonce, ciphertext and tag>`.
std::string seal(const Keys& keys, std::string_view secret, std::string_view context, const Random& random);

/// The secret again, also when it was sealed with the previous root. Nothing: it was changed, belongs elsewhere, or its
/// key is gone.
std::optional<std::string> open(const Keys& keys, std::string_view sealed, std::string_view context);

/// What every text begins with that is sealed by the key of that id.
std::string sealed_prefix(std::string_view key_id);

}  // namespace cameleer::identity
