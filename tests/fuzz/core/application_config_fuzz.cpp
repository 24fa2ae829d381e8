#include <cameleer/core/application_config.hpp>

using namespace cameleer;

// Any bytes are refused with a code and a sentence, or read; what was read is written and read back the same, stored
// form and envelope alike.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  if (const auto keys = read_sensitive_keys(json); !keys && keys.error().message.empty()) __builtin_trap();
  const auto config = read_application_config(json);
  if (!config) {
    if (config.error().message.empty()) __builtin_trap();
    return 0;
  }
  for (const auto& text : {to_json(*config), to_envelope(*config, {"pin"})}) {
    const auto again = read_application_config(text);
    if (!again || !(*again == *config)) __builtin_trap();
  }
  return 0;
}
