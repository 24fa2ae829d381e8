#include <cstdint>
#include <cstdlib>

#include "content_coding.hpp"

/// Undoes both content codings of anything: the limit holds, and there is room for simdjson behind the text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cameleer::web;
  constexpr std::size_t kLimit = 100'000;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const auto coding : {ContentCoding::gzip, ContentCoding::zstd, ContentCoding::identity}) {
    const auto text = decode_content(bytes, coding, kLimit);
    if (text && (text->size() > kLimit || text->capacity() < text->size() + kPadding)) std::abort();
  }
  return 0;
}
