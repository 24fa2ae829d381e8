// Feeds what somebody pastes as a token to the simulator's reader: what it gives comes from the middle part alone.
#include <cameleer/identity/encoding.hpp>

#include "server/claim_mappings/token_claims.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto claims = cameleer::server::unverified_claims(input);
  if (!claims) {
    if (claims.error().member != "/token") __builtin_trap();
    return 0;
  }
  if (input.find("." + cameleer::identity::base64url(*claims) + ".") == std::string_view::npos) __builtin_trap();
  return 0;
}
