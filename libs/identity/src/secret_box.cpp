#include <fmt/format.h>
#include <openssl/evp.h>

#include <cameleer/identity/secret_box.hpp>
#include <memory>
#include <stdexcept>

namespace cameleer::identity {
namespace {

constexpr std::string_view kVersion = "v1.";
constexpr std::size_t kNonce = 12, kTag = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

std::string_view key_id_of(std::string_view sealed) {
  if (!sealed.starts_with(kVersion)) return {};
  sealed.remove_prefix(kVersion.size());
  return sealed.substr(0, std::min(sealed.find('.'), sealed.size()));
}

}  // namespace

std::string seal(const Keys& keys, std::string_view secret, std::string_view context, const Random& random) {
  const auto nonce = random_bytes(random, kNonce);
  const Context cipher(EVP_CIPHER_CTX_new());
  std::string text(secret.size() + kTag, '\0');
  int length = 0;
  const bool sealed =
      cipher &&
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes(keys.secrets().bytes), bytes(nonce)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &length, bytes(context), static_cast<int>(context.size())) == 1 &&
      EVP_EncryptUpdate(cipher.get(), bytes(text), &length, bytes(secret), static_cast<int>(secret.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), bytes(text) + length, &length) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTag, bytes(text) + secret.size()) == 1;
  if (!sealed) throw std::runtime_error("OpenSSL refused AES-256-GCM");
  return sealed_prefix(keys.secrets().id) + base64url(nonce + text);
}

std::optional<std::string> open(const Keys& keys, std::string_view sealed, std::string_view context) {
  const auto id = key_id_of(sealed);
  const auto* key = keys.secrets_by_id(id);
  if (key == nullptr || sealed.size() <= kVersion.size() + id.size() + 1) return std::nullopt;
  const auto decoded = decode_base64url(sealed.substr(kVersion.size() + id.size() + 1));
  if (!decoded || decoded->size() < kNonce + kTag) return std::nullopt;
  const std::string_view all(*decoded);
  const auto text = all.substr(kNonce, all.size() - kNonce - kTag);
  auto tag = std::string(all.substr(all.size() - kTag));
  const Context cipher(EVP_CIPHER_CTX_new());
  std::string secret(text.size(), '\0');
  int length = 0;
  const bool opened =
      cipher &&
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes(key->bytes), bytes(all.substr(0, kNonce))) ==
          1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &length, bytes(context), static_cast<int>(context.size())) == 1 &&
      EVP_DecryptUpdate(cipher.get(), bytes(secret), &length, bytes(text), static_cast<int>(text.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTag, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), bytes(secret) + length, &length) == 1;
  if (!opened) return std::nullopt;
  return secret;
}

std::string sealed_prefix(std::string_view key_id) {
  return fmt::format("{}{}.", kVersion, key_id);
}

}  // namespace cameleer::identity
