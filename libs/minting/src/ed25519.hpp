#pragma once
#include <cameleer/core/license_keys.hpp>
#include <span>

#include "cameleer/minting/signer.hpp"

/// Ed25519 by OpenSSL. What OpenSSL refuses here is a bug or a broken machine: throws.
namespace cameleer::minting {

inline constexpr std::size_t seed_bytes = 32;

LicenseKey public_key_of(const SecretBytes& seed);
Signature sign_with(const SecretBytes& seed, std::span<const unsigned char> payload);

}  // namespace cameleer::minting
