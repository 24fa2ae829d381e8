#include <cstdint>
#include <cstdlib>

#include "agent-sim/event_reader.hpp"

/// The same events come out whatever the pieces were: the first byte says how large they are.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cameleer::sim;
  if (size < 2) return 0;
  const std::size_t piece = data[0] % 32 + 1;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  EventReader whole, parts;
  whole.feed(text);
  for (std::size_t at = 0; at < text.size(); at += piece) parts.feed(text.substr(at, piece));
  for (;;) {
    const auto one = whole.take(), other = parts.take();
    if (one != other) std::abort();
    if (!one) return 0;
  }
}
