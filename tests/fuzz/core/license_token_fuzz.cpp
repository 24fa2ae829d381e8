#include "license_vendor.hpp"

using namespace cameleer;

// Any bytes as a token, nobody signed them: nothing is accepted but the corpus' own two tokens, which hold this
// payload.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const licensing_fuzz::Vendor vendor;
  const std::string_view token(reinterpret_cast<const char*>(data), size);
  constexpr std::string_view kSigned =
      R"({"expiresAt":"2027-04-26T23:59:59Z","gracePeriodDays":14,"issuedAt":"2026-04-26T16:33:12Z","label":"Acme",)"
      R"("licenseId":"6f9619ff-8b86-4d01-b42d-00cf4fc964ff","limits":{"max_apps":50},"tenantId":"acme"})";
  const auto license = validate_license(token, vendor.ring, {}, "acme", licensing_fuzz::now);
  if (license && split_token(token)->payload != kSigned) __builtin_trap();
  if (!license && (license.error().message.empty() || license.error().license)) __builtin_trap();
  const auto list = validate_revocations(token, vendor.ring, licensing_fuzz::now);
  if (list || list.error().message.empty()) __builtin_trap();
  return 0;
}
