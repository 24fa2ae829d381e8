// What is handed to the minter as a private key: an error, or a key whose signatures its public half verifies.
#include <cameleer/minting/signer.hpp>

using namespace cameleer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto signer = minting::PrivateKeySigner::read(minting::SecretBytes(text));
  if (!signer) {
    if (signer.error().message.empty()) __builtin_trap();
    return 0;
  }
  const unsigned char payload[] = {'p'};
  const auto signature = (*signer)->sign(payload);
  const auto ring = LicenseKeyRing::of({*(*signer)->public_key()}, LicenseTrust::environment);
  if (!signature || !ring) __builtin_trap();
  if (ring->signer_of("p", {reinterpret_cast<const char*>(signature->data()), signature->size()}) == nullptr) {
    __builtin_trap();
  }
  return 0;
}
