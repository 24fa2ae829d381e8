#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/jwk_set.hpp>

#include "token_reader.hpp"

namespace cameleer::identity {
namespace {

using enum SignatureAlgorithm;
namespace dom = simdjson::dom;

constexpr std::size_t kMaxDepth = 8;
constexpr std::size_t kShortestModulus = 2'048 / 8, kLongestModulus = 8'192 / 8, kLongestExponent = 8;
constexpr std::array<std::string_view, 6> kNames{"ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA"};
constexpr std::array<std::string_view, 8> kPrivateMembers{"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

struct Curve {
  std::string_view name;  ///< of JWK
  const char* group;      ///< of OpenSSL
  std::size_t bytes;
  SignatureAlgorithm algorithm;
};
constexpr std::array kCurves{Curve{"P-256", "P-256", 32, es256}, Curve{"P-384", "P-384", 48, es384},
                             Curve{"P-521", "P-521", 66, es512}};

using KeyPtr = std::shared_ptr<EVP_PKEY>;
template <auto free>
struct Free {
  template <class T>
  void operator()(T* value) const {
    free(value);
  }
};
using Context = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;

KeyPtr make_key(const char* type, OSSL_PARAM* parameters) {
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || parameters == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
    return nullptr;
  }
  return {key, EVP_PKEY_free};
}

Number number_of(std::string_view bytes) {
  return Number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr));
}

std::string bytes_of(const TokenObject& jwk, std::string_view member) {
  bool ok = true;
  return decode_base64url(jwk.text(member, ok)).value_or(std::string());
}

/// What could be made of one JWK: a key, or why it is passed over.
struct Made {
  KeyPtr key = nullptr;
  std::vector<SignatureAlgorithm> algorithms = {};
  std::string reason = {};
};

Made make_ec(const TokenObject& jwk) {
  bool ok = true;
  const auto name = jwk.text("crv", ok);
  const auto* curve = std::ranges::find(kCurves, std::string_view(name), &Curve::name);
  if (curve == kCurves.end()) return {.reason = "its curve is not P-256, P-384 or P-521"};
  const auto x = bytes_of(jwk, "x"), y = bytes_of(jwk, "y");
  if (x.size() != curve->bytes || y.size() != curve->bytes) return {.reason = "its coordinates have a wrong length"};
  std::string group = curve->group;
  auto point = std::string(1, '\x04') + x + y;
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()),
                             OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
                             OSSL_PARAM_construct_end()};
  auto key = make_key("EC", parameters);
  if (!key) return {.reason = "its point is not on the curve"};
  return {.key = std::move(key), .algorithms = {curve->algorithm}};
}

Made make_rsa(const TokenObject& jwk) {
  auto modulus = bytes_of(jwk, "n");
  const auto exponent = bytes_of(jwk, "e");
  modulus.erase(0, std::min(modulus.find_first_not_of('\0'), modulus.size()));
  if (modulus.size() < kShortestModulus || modulus.size() > kLongestModulus) {
    return {.reason = "its modulus does not have 2048 to 8192 bits"};
  }
  const bool odd = !exponent.empty() && (exponent.back() & 1) != 0;
  if (exponent.size() > kLongestExponent || !odd || exponent == "\x01") return {.reason = "its exponent is not usable"};
  const auto n = number_of(modulus), e = number_of(exponent);
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return {.reason = "OpenSSL refuses it"};
  }
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  auto key = make_key("RSA", parameters.get());
  if (!key) return {.reason = "OpenSSL refuses it"};
  return {.key = std::move(key), .algorithms = {rs256, ps256}};
}

Made make_okp(const TokenObject& jwk) {
  bool ok = true;
  if (jwk.text("crv", ok) != "Ed25519") return {.reason = "its curve is not Ed25519"};
  const auto x = bytes_of(jwk, "x");
  auto* key = x.size() == 32 ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                                           reinterpret_cast<const unsigned char*>(x.data()), x.size())
                             : nullptr;
  if (key == nullptr) return {.reason = "its x is not 32 bytes"};
  return {.key = {key, EVP_PKEY_free}, .algorithms = {eddsa}};
}

bool may_verify(const TokenObject& jwk) {
  bool ok = true;
  const auto use = jwk.text("use", ok);
  if (!ok || (!use.empty() && use != "sig")) return false;
  const auto operations = jwk.find("key_ops");
  if (!operations) return true;
  dom::array list;
  if (operations->get(list) != simdjson::SUCCESS) return false;
  return std::ranges::any_of(list, [](dom::element one) {
    std::string_view text;
    return one.get(text) == simdjson::SUCCESS && text == "verify";
  });
}

Made make(const TokenObject& jwk) {
  if (!may_verify(jwk)) return {.reason = "it is not for signatures"};
  bool ok = true;
  const auto type = jwk.text("kty", ok);
  auto made = type == "EC"    ? make_ec(jwk)
              : type == "RSA" ? make_rsa(jwk)
              : type == "OKP" ? make_okp(jwk)
                              : Made{.reason = "its type is not EC, RSA or OKP"};
  const auto alg = jwk.text("alg", ok);
  if (!ok) return {.reason = "a member is not a text"};
  if (!made.key || alg.empty()) return made;
  const auto own = signature_algorithm_of(alg);
  if (!own || std::ranges::find(made.algorithms, *own) == made.algorithms.end()) {
    return {.reason = "its alg is not one of those used here"};
  }
  made.algorithms = {*own};
  return made;
}

std::size_t coordinate_bytes(SignatureAlgorithm algorithm) {
  const auto* curve = std::ranges::find(kCurves, algorithm, &Curve::algorithm);
  return curve == kCurves.end() ? 0 : curve->bytes;
}

/// r and s, side by side, as the DER that OpenSSL wants; empty when a length is wrong.
std::string der_of(std::string_view signature, std::size_t bytes) {
  if (signature.size() != 2 * bytes) return {};
  auto r = number_of(signature.substr(0, bytes)), s = number_of(signature.substr(bytes));
  const std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>> pair(ECDSA_SIG_new());
  if (!r || !s || BN_is_zero(r.get()) || BN_is_zero(s.get()) || !pair) return {};
  // The pair owns both from here on: it refuses nothing but null.
  if (ECDSA_SIG_set0(pair.get(), r.release(), s.release()) != 1) return {};
  unsigned char* out = nullptr;
  const int length = i2d_ECDSA_SIG(pair.get(), &out);
  if (length <= 0) return {};
  std::string der(reinterpret_cast<const char*>(out), static_cast<std::size_t>(length));
  OPENSSL_free(out);
  return der;
}

const EVP_MD* digest_of(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case es384:
      return EVP_sha384();
    case es512:
      return EVP_sha512();
    case eddsa:
      return nullptr;
    default:
      return EVP_sha256();
  }
}

std::unexpected<Error> refused(std::string message) {
  return fail(ErrorCode::upstream_error, "The provider's key set " + std::move(message));
}

}  // namespace

std::string_view name_of(SignatureAlgorithm algorithm) {
  return kNames[static_cast<std::size_t>(algorithm)];
}

std::optional<SignatureAlgorithm> signature_algorithm_of(std::string_view alg) {
  const auto* found = std::ranges::find(kNames, alg);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<SignatureAlgorithm>(found - kNames.begin());
}

bool VerificationKey::signs_by(SignatureAlgorithm algorithm) const {
  return std::ranges::find(algorithms_, algorithm) != algorithms_.end();
}

bool VerificationKey::verify(SignatureAlgorithm algorithm, std::string_view text, std::string_view signature) const {
  if (!signs_by(algorithm)) return false;
  std::string der;
  if (const auto bytes = coordinate_bytes(algorithm); bytes > 0) {
    der = der_of(signature, bytes);
    if (der.empty()) return false;
    signature = der;
  }
  const Digest digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* context = nullptr;
  if (!digest || EVP_DigestVerifyInit(digest.get(), &context, digest_of(algorithm), nullptr, key_.get()) != 1) {
    return false;
  }
  if (algorithm == ps256 && (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) != 1 ||
                             EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(digest.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                          reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
}

Expected<JwkSet> JwkSet::parse(std::string_view json) {
  if (json.size() > most_bytes) return refused(fmt::format("has more than {} bytes.", most_bytes));
  const auto document = TokenObject::parse(std::string(json), kMaxDepth);
  const auto member = document ? document->find("keys") : std::nullopt;
  dom::array list;
  if (!member || member->get(list) != simdjson::SUCCESS) return refused("is not a JSON object with `keys`.");
  if (list.size() > most_keys) return refused(fmt::format("has more than {} keys.", most_keys));
  JwkSet set;
  std::size_t index = 0;
  for (const auto element : list) {
    const auto at = index++;
    const auto jwk = TokenObject::parse(simdjson::minify(element), kMaxDepth);
    if (!jwk) return refused(fmt::format("holds something that is no key at {}.", at));
    for (const auto name : kPrivateMembers) {
      if (jwk->find(name)) return refused(fmt::format("publishes a secret: member {} of key {}.", name, at));
    }
    bool ok = true;
    const auto id = jwk->text("kid", ok);
    auto made = make(*jwk);
    if (!ok || !made.key) {
      set.skipped_.push_back(
          fmt::format("key {} ('{}'): {}", at, id.substr(0, 100), ok ? made.reason : "kid is no text"));
      continue;
    }
    VerificationKey key;
    key.id_ = id;
    key.algorithms_ = std::move(made.algorithms);
    key.key_ = std::move(made.key);
    for (const auto& other : set.keys_) {
      if (!id.empty() && other.id_ == id &&
          std::ranges::any_of(other.algorithms_, [&](auto one) { return key.signs_by(one); })) {
        return refused(fmt::format("has two keys of the id '{}'.", id.substr(0, 100)));
      }
    }
    set.keys_.push_back(std::move(key));
  }
  return set;
}

const VerificationKey* JwkSet::find(std::optional<std::string_view> id, SignatureAlgorithm algorithm,
                                    bool& ambiguous) const {
  ambiguous = false;
  const VerificationKey* found = nullptr;
  for (const auto& key : keys_) {
    if (!key.signs_by(algorithm) || (id && key.id_ != *id)) continue;
    if (found != nullptr) {
      ambiguous = true;
      return nullptr;
    }
    found = &key;
  }
  return found;
}

}  // namespace cameleer::identity
