#include "decode_any.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cameleer::fuzz::decode_any(cameleer::server::decode_chunks, data, size);
  return 0;
}
