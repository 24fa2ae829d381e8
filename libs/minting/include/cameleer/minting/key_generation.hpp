#pragma once
#include <cameleer/core/license_keys.hpp>

#include "cameleer/minting/secret_bytes.hpp"

namespace cameleer::minting {

struct GeneratedKey {
  SecretBytes private_pem;  ///< PKCS#8, unencrypted
  LicenseKey public_key;    ///< `to_spki` writes it
};

/// A new Ed25519 key from OpenSSL's generator. A failing generator is a broken machine: throws.
GeneratedKey generate_key();

}  // namespace cameleer::minting
