#include "ed25519_key.hpp"

#include <openssl/bn.h>

#include <algorithm>
#include <memory>
#include <new>

namespace cameleer {
namespace {

using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
using Context = std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)>;

constexpr auto kPrime = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";  // 2^255 - 19
constexpr auto kHalf = "3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff6";   // (p - 1) / 2
constexpr auto kCurve = "52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3";  // d

// The y of the eight points whose order divides 8; both signs of x are of small order.
constexpr const char* kSmallOrder[]{
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000001",
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec",
    "05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826",
    "7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7",
};

Number number(const char* hex) {
  BIGNUM* raw = nullptr;
  if (BN_hex2bn(&raw, hex) == 0) throw std::bad_alloc();
  return {raw, &BN_free};
}

Number empty_number() {
  Number made(BN_new(), &BN_free);
  if (!made) throw std::bad_alloc();
  return made;
}

/// Whether an x exists with -x² + y² = 1 + d·x²·y², that is, whether (y² - 1)/(d·y² + 1) is a square.
bool is_on_curve(const BIGNUM* y) {
  const Context context(BN_CTX_new(), &BN_CTX_free);
  const auto prime = number(kPrime), half = number(kHalf), curve = number(kCurve);
  const auto square = empty_number(), above = empty_number(), below = empty_number(), power = empty_number();
  if (!context || BN_mod_sqr(square.get(), y, prime.get(), context.get()) != 1 ||
      BN_mod_sub(above.get(), square.get(), BN_value_one(), prime.get(), context.get()) != 1 ||
      BN_mod_mul(below.get(), square.get(), curve.get(), prime.get(), context.get()) != 1 ||
      BN_mod_add(below.get(), below.get(), BN_value_one(), prime.get(), context.get()) != 1 ||
      BN_mod_mul(above.get(), above.get(), below.get(), prime.get(), context.get()) != 1 ||
      BN_mod_exp(power.get(), above.get(), half.get(), prime.get(), context.get()) != 1) {
    throw std::bad_alloc();
  }
  return BN_is_one(power.get()) == 1;
}

}  // namespace

std::string_view fault_of_ed25519_key(const std::array<unsigned char, 32>& bytes) {
  auto little_endian = bytes;
  little_endian.back() &= 0x7f;  // the sign of x
  const Number y(BN_lebin2bn(little_endian.data(), static_cast<int>(little_endian.size()), nullptr), &BN_free);
  if (!y) throw std::bad_alloc();
  if (BN_cmp(y.get(), number(kPrime).get()) >= 0) return "must be in its canonical form (RFC 8032)";
  const auto is = [&](const char* hex) { return BN_cmp(y.get(), number(hex).get()) == 0; };
  if (std::ranges::any_of(kSmallOrder, is)) return "must not be a point of small order";
  if (!is_on_curve(y.get())) return "must be a point of the curve";
  return {};
}

}  // namespace cameleer
