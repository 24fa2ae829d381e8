#include <xxhash.h>

#include <cstdlib>

#include "server/ingest/journal_record.hpp"

using namespace cameleer::server;

// The checksum is given along, or nothing but it would ever be tested.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string record(reinterpret_cast<const char*>(data), size);
  const auto note = RecordNote::read(record);
  if (note.table >= ingest_tables().size() || RecordNote::read(note.bytes()).bytes() != note.bytes()) std::abort();
  const auto checksum = XXH3_64bits(record.data(), record.size());
  for (int i = 0; i < 8; ++i) record.push_back(static_cast<char>(checksum >> 8 * i));
  JoinedRecords joined(1);
  if (!joined.add(record)) return 0;
  // What was read is written and read again as the same rows.
  const auto rows = joined.take();
  const JournalRecord written(rows, cameleer::instant_of(0));
  std::string again;
  for (const auto piece : written.pieces()) again += piece;
  JoinedRecords second(1);
  if (!second.add(again)) std::abort();
  const auto same = second.take();
  if (same.rows() != rows.rows() || same.bytes() != rows.bytes() || same.parts.size() != rows.parts.size())
    std::abort();
  return 0;
}
