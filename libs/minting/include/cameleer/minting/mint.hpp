#pragma once
#include <cameleer/core/license.hpp>
#include <cameleer/core/license_validation.hpp>
#include <string>

#include "cameleer/minting/signer.hpp"

/// Makes signed tokens. The bytes that are signed are `cameleer::canonical_payload` of the core library.
namespace cameleer::minting {

enum class TokenFormat : unsigned char {
  token,  ///< `base64(payload).base64(signature)`: RFC 4648 section 4, padded; the signature is over the payload
  jwt,    ///< a JWS of the same payload: `alg` EdDSA, `typ` license+jwt, `kid` when the licence names a key
};

/// The token of a licence. `issued_at` and `expires_at` count in whole seconds. Errors: invalid_member for a licence
/// that no server would take; those of the signer; license_rejected when the signature is not by the signer's public
/// key. When the signer knows that key, a token that comes back has passed `validate_license`.
Expected<std::string> mint(const LicenseInfo& license, Signer& signer, TokenFormat format = TokenFormat::token);

/// The list as it is signed: ids in lower case, sorted, each once, and whole seconds.
LicenseRevocations in_order(LicenseRevocations revocations);

/// A signed revocation list, always in the two-part form. It takes the place of the list before it, so it names every
/// licence that is revoked. Errors as `mint`.
Expected<std::string> mint_revocations(const LicenseRevocations& revocations, Signer& signer);

}  // namespace cameleer::minting
