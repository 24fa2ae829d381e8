// Feeds the token reader twice: with the bytes as they come, and as header and payload of a token that our key signed,
// so that the claims are reached as well.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/jwt.hpp>

using namespace cameleer;
using namespace cameleer::identity;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Keys keys(MasterKey::from_bytes(std::string(32, 'k')));
  static const Expectations expected{.issuer = "i", .audiences = {"a"}};
  static const std::string header = R"({"alg":"HS256","kid":")" + keys.jwt().id + "\"}";
  const Instant now = instant_of(1'800'000'000'000);
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (verify(keys, input, expected, now)) __builtin_trap();  // nobody guesses a signature

  const auto split = input.find('\n');
  const auto text = base64url(split == std::string_view::npos ? header : input.substr(0, split)) + "." +
                    base64url(split == std::string_view::npos ? input : input.substr(split + 1));
  unsigned char mac[32];
  unsigned int length = 0;
  HMAC(EVP_sha256(), keys.jwt().bytes.data(), 32, reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac,
       &length);
  const auto claims = verify(keys, text + "." + base64url({reinterpret_cast<const char*>(mac), length}), expected, now);
  if (claims && (claims->issuer != "i" || claims->audience != "a" || claims->expires_at <= now)) __builtin_trap();
  return 0;
}
