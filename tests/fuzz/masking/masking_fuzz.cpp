#include <cameleer/masking/masker.hpp>
#include <cstdlib>

using namespace cameleer;

// Masking what is masked already changes nothing, and any bytes are taken.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<std::string> names{"pin", "*token", "?ey"};
  static Masker masker(std::make_shared<const SensitiveKeys>(names));
  std::string body(reinterpret_cast<const char*>(data), size);
  masker.mask_body(body);
  auto again = body;
  masker.mask_body(again);
  if (again != body) std::abort();
  return 0;
}
