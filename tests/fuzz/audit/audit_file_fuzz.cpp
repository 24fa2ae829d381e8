// Feeds the verifier of exports with any file: it says what is wrong, and nothing passes that was not signed.
#include <sstream>

#include "server/audit/audit_file.hpp"

using namespace cameleer;
using namespace cameleer::server;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto key = audit_key_of(identity::Keys(identity::MasterKey::from_bytes(std::string(32, 'k'))));
  std::istringstream file(std::string(reinterpret_cast<const char*>(data), size));
  const auto verified = verify_audit_file(file, key.public_key);
  if (!verified && verified.error().message.empty()) __builtin_trap();
  if (verified && !verified->starts_with("No sealed row")) __builtin_trap();  // nobody guesses a signature
  return 0;
}
