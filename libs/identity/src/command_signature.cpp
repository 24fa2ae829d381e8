#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cameleer/identity/command_signature.hpp>
#include <cameleer/identity/encoding.hpp>
#include <memory>
#include <stdexcept>

namespace cameleer::identity {
namespace {

constexpr std::string_view kPrefix = "cameleer-command-v1.";
constexpr std::size_t kSignatureBytes = 64;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::unexpected<Error> not_ours() {
  return fail(ErrorCode::invalid_token, "The command was not signed by this key.");
}

}  // namespace

SignedCommand sign_command(const DerivedKey& key, std::string_view envelope_json) {
  SignedCommand command{.payload = base64url(envelope_json), .signature = {}, .key_id = key.id};
  const auto text = std::string(kPrefix) + command.payload;
  const Key seed(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(key.bytes), key.bytes.size()),
                 EVP_PKEY_free);
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::string signature(kSignatureBytes, '\0');
  auto length = signature.size();
  if (!seed || !context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, seed.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length, bytes_of(text),
                     text.size()) != 1) {
    throw std::runtime_error("OpenSSL refused to sign with Ed25519");
  }
  command.signature = base64url(signature);
  return command;
}

Expected<std::string> verify_command(const SignedCommand& command, std::string_view public_key) {
  const auto der = decode_base64(public_key);
  const auto signature = decode_base64url(command.signature);
  if (!der || !signature) return not_ours();
  const auto* at = bytes_of(*der);
  const Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der->size())), EVP_PKEY_free);
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!key || EVP_PKEY_base_id(key.get()) != EVP_PKEY_ED25519 || !context) return not_ours();
  const auto text = std::string(kPrefix) + command.payload;
  if (EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestVerify(context.get(), bytes_of(*signature), signature->size(), bytes_of(text), text.size()) != 1) {
    return not_ours();
  }
  auto envelope = decode_base64url(command.payload);
  if (!envelope) return not_ours();
  return std::move(*envelope);
}

}  // namespace cameleer::identity
