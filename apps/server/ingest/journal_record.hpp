#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/core/instant.hpp>
#include <string>
#include <string_view>

#include "server/ingest/batch_writer.hpp"

namespace cameleer::server {

/// Rows of one request as the journal holds them: tables with the columns they were encoded for, so that a newer
/// program still knows what the bytes are; a checksum at the end.
struct JournalRecord {
  EncodedRows rows;
  Instant arrived;
};

std::string encode_journal_record(const EncodedRows& rows, Instant arrived);

/// `internal` with what is wrong: damaged, of another version, a table that this program does not know.
Expected<JournalRecord> decode_journal_record(std::string_view bytes);

}  // namespace cameleer::server
