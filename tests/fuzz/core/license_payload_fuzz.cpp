#include "license_vendor.hpp"

using namespace cameleer;

namespace {

void check_sentence(const LicenseRejection& rejection) {
  if (rejection.message.empty() || rejection.message.size() > 1'000) __builtin_trap();
}

// What was read is written, and reads back the same but for parts of a second.
void check_license_of(std::string_view json) {
  const auto license = read_unverified_license(json);
  if (!license) return check_sentence(license.error());
  if (!check_license(*license)) __builtin_trap();
  const auto text = canonical_payload(*license);
  const auto again = read_unverified_license(text);
  if (!again || canonical_payload(*again) != text) __builtin_trap();
  if (read_unverified_revocations(json)) __builtin_trap();
}

void check_revocations_of(std::string_view json) {
  const auto list = read_unverified_revocations(json);
  if (!list) return check_sentence(list.error());
  const auto text = canonical_payload(*list);
  const auto again = read_unverified_revocations(text);
  if (!again || canonical_payload(*again) != text) __builtin_trap();
  for (const auto& id : list->license_ids) {
    if (!list->revokes(id)) __builtin_trap();
  }
}

}  // namespace

// Any bytes that a vendor might sign. When they begin with a line, it is the header of a JWT.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const licensing_fuzz::Vendor vendor;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check_license_of(input);
  check_revocations_of(input);
  const auto line = input.find('\n');
  const auto token =
      line == std::string_view::npos ? vendor.token(input) : vendor.jwt(input.substr(0, line), input.substr(line + 1));
  const auto verdict = validate_license(token, vendor.ring, {}, "acme", licensing_fuzz::now);
  if (!verdict) {
    check_sentence(verdict.error());
    if (verdict.error().reason == LicenseReason::BAD_SIGNATURE) __builtin_trap();
  } else if (verdict->tenant_id != "acme") {
    __builtin_trap();
  }
  return 0;
}
