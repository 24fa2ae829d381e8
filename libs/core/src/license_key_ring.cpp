#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cameleer/core/license.hpp>
#include <cameleer/core/license_keys.hpp>
#include <new>

#include "ed25519_key.hpp"

namespace cameleer {
namespace {

using PublicKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

constexpr std::size_t kSignatureSize = 64;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string fault_of(const std::vector<LicenseKey>& keys, std::size_t index) {
  const auto& key = keys[index];
  if (const auto fault = fault_of_ed25519_key(key.bytes); !fault.empty()) return std::string(fault);
  if (key.key_id && !is_license_key_id(*key.key_id)) {
    return "must have a key id of 1 to 64 letters, digits, dots, underscores and dashes";
  }
  for (std::size_t other = 0; other < index; ++other) {
    if (keys[other].bytes == key.bytes) return fmt::format("is key {} again", other + 1);
    if (key.key_id && keys[other].key_id == key.key_id) return fmt::format("has the key id of key {}", other + 1);
  }
  return {};
}

template <class Pick>
std::optional<Instant> narrower(std::optional<Instant> left, std::optional<Instant> right, Pick pick) {
  return left && right ? pick(*left, *right) : left ? left : right;
}

}  // namespace

struct LicenseKeyRing::Prepared {
  std::vector<PublicKey> keys;
};

std::string_view name_of(LicenseTrust trust) {
  constexpr std::array<std::string_view, 3> names{"none", "embedded", "environment"};
  return names[static_cast<std::size_t>(trust)];
}

Expected<LicenseKeyRing> LicenseKeyRing::of(std::vector<LicenseKey> keys, LicenseTrust trust) {
  if (keys.size() > most_keys) {
    return fail(ErrorCode::bad_configuration, fmt::format("At most {} licence keys are possible.", most_keys));
  }
  auto prepared = std::make_shared<Prepared>();
  for (std::size_t index = 0; index < keys.size(); ++index) {
    if (const auto fault = fault_of(keys, index); !fault.empty()) {
      return fail(ErrorCode::bad_configuration, fmt::format("Licence key {} {}.", index + 1, fault));
    }
    const auto& bytes = keys[index].bytes;
    prepared->keys.emplace_back(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes.data(), bytes.size()),
                                &EVP_PKEY_free);
    if (!prepared->keys.back()) throw std::bad_alloc();
  }
  LicenseKeyRing ring;
  ring.trust_ = keys.empty() ? LicenseTrust::none : trust;
  ring.keys_ = std::move(keys);
  ring.prepared_ = std::move(prepared);
  return ring;
}

bool LicenseKeyRing::names(std::string_view key_id) const {
  return std::ranges::any_of(keys_, [&](const auto& key) { return key.key_id == key_id; });
}

const LicenseKey* LicenseKeyRing::signer_of(std::string_view message, std::string_view signature) const {
  if (signature.size() != kSignatureSize) return nullptr;
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  if (!context) throw std::bad_alloc();
  for (std::size_t index = 0; index < keys_.size(); ++index) {
    EVP_MD_CTX_reset(context.get());
    ERR_set_mark();
    const bool holds =
        EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, prepared_->keys[index].get()) == 1 &&
        EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message), message.size()) == 1;
    ERR_pop_to_mark();
    if (holds) return &keys_[index];
  }
  return nullptr;
}

LicenseKeyRing LicenseKeyRing::narrowed_to(const LicenseKeyRing& allowed) const {
  LicenseKeyRing narrowed;
  auto prepared = std::make_shared<Prepared>();
  for (std::size_t index = 0; index < keys_.size(); ++index) {
    auto key = keys_[index];
    const auto other = std::ranges::find(allowed.keys_, key.bytes, &LicenseKey::bytes);
    if (other == allowed.keys_.end()) continue;
    key.valid_from = narrower(key.valid_from, other->valid_from, [](auto a, auto b) { return std::max(a, b); });
    key.valid_until = narrower(key.valid_until, other->valid_until, [](auto a, auto b) { return std::min(a, b); });
    EVP_PKEY_up_ref(prepared_->keys[index].get());
    prepared->keys.emplace_back(prepared_->keys[index].get(), &EVP_PKEY_free);
    narrowed.keys_.push_back(std::move(key));
  }
  narrowed.trust_ = trust_;
  narrowed.prepared_ = std::move(prepared);
  return narrowed;
}

}  // namespace cameleer
