#include <cameleer/masking/masker.hpp>
#include <cstdlib>

using namespace cameleer;

// Masking what is masked already changes nothing, and any bytes are taken.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<std::string> names{"pin", "*token", "?ey"};
  static Masker masker(std::make_shared<const SensitiveKeys>(names));
  const auto masked = masker.masked({reinterpret_cast<const char*>(data), size});
  if (!masked) return 0;
  const auto again = masker.masked(*masked);
  if (again && *again != *masked) std::abort();
  return 0;
}
