#include <cameleer/core/license_keys.hpp>

using namespace cameleer;

// Any bytes are refused with a sentence, or are keys that are written and read back the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto ring = read_license_keys(text, LicenseTrust::environment);
  if (!ring) {
    if (ring.error().message.empty() || ring.error().code != ErrorCode::bad_configuration) __builtin_trap();
    return 0;
  }
  if (ring->keys().size() > LicenseKeyRing::most_keys) __builtin_trap();
  for (const auto& key : ring->keys()) {
    const auto again = read_license_key(to_spki(key));
    if (!again || again->bytes != key.bytes) __builtin_trap();
    if (key.key_id && !ring->names(*key.key_id)) __builtin_trap();
  }
  return 0;
}
