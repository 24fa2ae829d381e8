#pragma once
#include <cameleer/core/error.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using EVP_PKEY = struct evp_pkey_st;

/// The public keys of an OpenID provider (JWK Set, RFC 7517) and signatures made with them (JWS, RFC 7515, 7518, 8037).
namespace cameleer::identity {

enum class SignatureAlgorithm : std::uint8_t { es256, es384, es512, rs256, ps256, eddsa };
/// As in a token's `alg`. `none` and every HMAC are no algorithm here.
std::string_view name_of(SignatureAlgorithm algorithm);
std::optional<SignatureAlgorithm> signature_algorithm_of(std::string_view alg);

/// One public key, ready to verify. Immutable; threads may share it.
class VerificationKey {
 public:
  [[nodiscard]] const std::string& id() const { return id_; }  ///< `kid`; may be empty
  /// Whether this key signs by that algorithm: told by its type and curve, and by its own `alg` when it has one; never
  /// by the token.
  [[nodiscard]] bool signs_by(SignatureAlgorithm algorithm) const;
  /// `signature` as JWS has it: r and s of exact length for ECDSA. Wrong lengths, DER, zero and values outside the
  /// group are refused.
  [[nodiscard]] bool verify(SignatureAlgorithm algorithm, std::string_view text, std::string_view signature) const;

 private:
  friend class JwkSet;
  std::string id_;
  std::vector<SignatureAlgorithm> algorithms_;
  std::shared_ptr<EVP_PKEY> key_;
};

class JwkSet {
 public:
  static constexpr std::size_t most_bytes = 256 * 1024, most_keys = 100;

  /// Keys that cannot verify signatures here (other types, `use: enc`, RSA below 2048 or above 8192 bits) are passed
  /// over and named by `skipped`. The whole set is refused, `upstream_error`, when it is no JWK Set, is too large,
  /// holds a private or symmetric key (somebody published a secret), or has two usable keys of one id and type.
  static Expected<JwkSet> parse(std::string_view json);

  /// The key for a token's `kid` and algorithm; without `kid` the only one that signs by it. Null: none, or more than
  /// one (`ambiguous`).
  [[nodiscard]] const VerificationKey* find(std::optional<std::string_view> id, SignatureAlgorithm algorithm,
                                            bool& ambiguous) const;
  [[nodiscard]] const std::vector<VerificationKey>& keys() const { return keys_; }
  [[nodiscard]] const std::vector<std::string>& skipped() const { return skipped_; }

 private:
  std::vector<VerificationKey> keys_;
  std::vector<std::string> skipped_;
};

}  // namespace cameleer::identity
