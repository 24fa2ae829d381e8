#pragma once
#include <cameleer/core/execution.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace cameleer::sim {

/// The one text of an execution: members in a fixed order, maps by key, absent ones left out, processors flat by seq.
/// What an agent sends is this text; what a server gives back is read and rendered again, so that one checksum covers
/// the whole content.
void render(const Execution& execution, std::string& into);

/// XXH3-64 of a rendered execution.
std::uint64_t checksum_of(std::string_view rendered);

/// Bytes of a fixed-width hexadecimal id.
inline constexpr std::size_t kIdCharacters = 32;

/// Deterministic bits for (seed, stream, number): two 64-bit words of XXH3-128.
struct Bits {
  std::uint64_t low = 0, high = 0;
};
Bits bits_of(std::uint64_t seed, std::uint64_t stream, std::uint64_t number);
/// 32 hexadecimal digits of both words.
void write_id(Bits bits, char* into);
std::string id_of(Bits bits);

}  // namespace cameleer::sim
