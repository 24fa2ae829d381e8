#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/resource.h>

#include <cameleer/core/base64.hpp>
#include <cameleer/core/license_state.hpp>
#include <memory>

/// One round of the licence benchmark: a licence's signature alone as `validate_license` verifies it, the whole of
/// `validate_license`, and reading one limit from a shared snapshot. Prints three figures a line: verifications a
/// second, validations a second, nanoseconds a read.
namespace {

using namespace cameleer;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

constexpr double kRound = 1;  // seconds
constexpr Instant kNow{std::chrono::seconds(1'795'000'000)};

struct Signed {
  LicenseKeyRing ring;
  std::string payload, signature, token;
};

LicenseInfo licence() {
  LicenseInfo info{.license_id = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", .tenant_id = "acme", .label = "Acme (Team)"};
  for (const auto limit : license_limits()) info.limits.set(limit, tier_limit(LicenseTier::team, limit));
  info.issued_at = kNow - std::chrono::days(100);
  info.expires_at = kNow + std::chrono::days(265);
  info.grace_period_days = 14;
  info.tier = "team";
  return info;
}

Signed make() {
  Signed made{.ring = {}, .payload = canonical_payload(licence()), .signature = std::string(64, '\0'), .token = {}};
  const Key key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                   reinterpret_cast<const unsigned char*>("a key for the licence benchmark."), 32),
      &EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  LicenseKey public_key;
  std::size_t size = public_key.bytes.size(), signature_size = made.signature.size();
  if (EVP_PKEY_get_raw_public_key(key.get(), public_key.bytes.data(), &size) != 1 ||
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(made.signature.data()), &signature_size,
                     reinterpret_cast<const unsigned char*>(made.payload.data()), made.payload.size()) != 1) {
    throw std::runtime_error("OpenSSL cannot sign");
  }
  made.ring = LicenseKeyRing::of({public_key}, LicenseTrust::environment).value();
  made.token = base64(made.payload) + "." + base64(made.signature);
  return made;
}

/// Processor time in user mode, as `openssl speed` takes it: other programs do not count.
double user_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec) / 1e6;
}

/// Calls a second; `call` says whether it went well.
template <class Call>
double rate(int batch, Call call) {
  const auto started = user_seconds();
  std::int64_t calls = 0;
  auto taken = 0.0;
  for (; taken < kRound; taken = user_seconds() - started) {
    for (int i = 0; i < batch; ++i) {
      if (!call()) throw std::runtime_error("a licence did not validate");
    }
    calls += batch;
  }
  return static_cast<double>(calls) / taken;
}

}  // namespace

int main() {
  const auto made = make();
  const auto verified = rate(100, [&] { return made.ring.signer_of(made.payload, made.signature) != nullptr; });
  const auto validated =
      rate(100, [&] { return validate_license(made.token, made.ring, {}, "acme", kNow).has_value(); });

  // As the server's gate has it; a share of the snapshot is taken for each read, as by who reads several limits.
  const auto snapshot = std::make_shared<const LicenseStanding>(
      standing_of(validate_license(made.token, made.ring, {}, "acme", kNow), kNow));
  const auto* volatile volatile_snapshot = &snapshot;  // read anew each time
  std::size_t next = 0;
  const auto reads = rate(100'000, [&] {
    const auto held = *volatile_snapshot;
    return held->limits[license_limits()[next++ % license_limit_count]] > 0;
  });
  fmt::print("{:.0f} {:.0f} {:.1f}\n", verified, validated, 1e9 / reads);
}
