#include <argon2.h>

#include <algorithm>
#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/password.hpp>
#include <stdexcept>

namespace cameleer::identity {
namespace {

constexpr std::uint32_t kPasses = 2;
constexpr std::uint32_t kKibibytes = 19 * 1024;
constexpr std::uint32_t kLanes = 1;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kLongest = 1024;

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

int classes_of(std::string_view password) {
  bool lower_case = false, upper_case = false, digit = false, other = false;
  for (const char c : password) {
    if (c >= 'a' && c <= 'z')
      lower_case = true;
    else if (c >= 'A' && c <= 'Z')
      upper_case = true;
    else if (c >= '0' && c <= '9')
      digit = true;
    else
      other = true;
  }
  return lower_case + upper_case + digit + other;
}

}  // namespace

std::string hash_password(std::string_view password, const Random& random) {
  const auto salt = random_bytes(random, kSaltBytes);
  std::string encoded(argon2_encodedlen(kPasses, kKibibytes, kLanes, kSaltBytes, kHashBytes, Argon2_id), '\0');
  const int result = argon2id_hash_encoded(kPasses, kKibibytes, kLanes, password.data(), password.size(), salt.data(),
                                           salt.size(), kHashBytes, encoded.data(), encoded.size());
  if (result != ARGON2_OK) throw std::runtime_error(argon2_error_message(result));
  encoded.resize(encoded.find('\0'));
  return encoded;
}

bool verify_password(std::string_view password, const std::string& encoded) {
  return argon2id_verify(encoded.c_str(), password.data(), password.size()) == ARGON2_OK;
}

const std::string& nobodys_hash() {
  // Salt and hash are digits of the right length that no password was hashed to.
  static const std::string hash = "$argon2id$v=19$m=19456,t=2,p=1$" + std::string(22, 'A') + "$" + std::string(43, 'A');
  return hash;
}

std::optional<std::string> password_problem(std::string_view password, std::string_view username) {
  // Characters, not bytes: continuation bytes of UTF-8 do not count.
  const auto characters = std::ranges::count_if(password, [](char c) { return (c & 0xc0) != 0x80; });
  if (characters < 12) return "A password needs at least 12 characters.";
  if (password.size() > kLongest) return "A password has at most 1024 bytes.";
  if (classes_of(password) < 3) {
    return "A password needs three of these: lower-case letters, upper-case letters, digits, other characters.";
  }
  if (!username.empty() && lower(password).find(lower(username)) != std::string::npos) {
    return "A password must not contain the user name.";
  }
  return std::nullopt;
}

std::string random_password(const Random& random) {
  for (;;) {
    auto password = base64url(random_bytes(random, 18));
    if (!password_problem(password, "")) return password;
  }
}

}  // namespace cameleer::identity
