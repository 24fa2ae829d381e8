#pragma once
#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

/// A provider's key pair for tests: its public half as JWK, and signatures as JWS has them.
class ProviderKey {
 public:
  /// `ES256`, `ES384`, `ES512`, `RS256`, `PS256` or `EdDSA`.
  ProviderKey(std::string alg, std::string kid);

  /// With `extra` members: `,"use":"sig"`.
  [[nodiscard]] std::string jwk(std::string_view extra = "") const;
  [[nodiscard]] std::string sign(std::string_view text) const;
  /// ECDSA in the DER that OpenSSL makes, which JWS does not take.
  [[nodiscard]] std::string sign_der(std::string_view text) const;
  /// The public key as SubjectPublicKeyInfo in PEM: what a key confusion attack uses as HMAC secret.
  [[nodiscard]] std::string public_pem() const;
  [[nodiscard]] const std::string& alg() const { return alg_; }
  [[nodiscard]] const std::string& kid() const { return kid_; }

  /// A compact token with the header `{"alg","kid"<more>}`.
  [[nodiscard]] std::string token(std::string_view payload, std::string_view more_header = "") const;

 private:
  [[nodiscard]] std::size_t coordinate_bytes() const;
  std::string alg_, kid_;
  std::shared_ptr<EVP_PKEY> key_;
};

std::string jwk_set(std::initializer_list<std::string> keys);
/// Any header, payload and signature, encoded.
std::string compact(std::string_view header, std::string_view payload, std::string_view signature);
