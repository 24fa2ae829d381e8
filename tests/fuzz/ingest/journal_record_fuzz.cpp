#include <xxhash.h>

#include <cstdlib>

#include "server/ingest/journal_record.hpp"

using namespace cameleer::server;

// The checksum is given along, or nothing but it would ever be tested.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string record(reinterpret_cast<const char*>(data), size);
  const auto checksum = XXH3_64bits(record.data(), record.size());
  for (int i = 0; i < 8; ++i) record.push_back(static_cast<char>(checksum >> 8 * i));
  const auto decoded = decode_journal_record(record);
  if (decoded && encode_journal_record(decoded->rows, decoded->arrived) != record) std::abort();
  return 0;
}
