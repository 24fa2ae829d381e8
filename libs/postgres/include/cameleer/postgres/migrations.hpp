#pragma once
#include <cameleer/core/embedded.hpp>
#include <cameleer/postgres/pool.hpp>

namespace cameleer::postgres {

/// Brings the schema (made when missing) to the newest version. `files` are `V0001__name.sql`, applied in order without
/// gaps, each in one transaction (several statements a file; no BEGIN, COMMIT or anything that refuses a transaction),
/// with the schema as search_path, and noted in `<schema>.schema_migrations` with its SHA-256. A file that fails leaves
/// nothing behind; the ones before it stay.
///
/// Processes that start at once take turns under an advisory lock that contains the schema's name; a turn is waited for
/// up to 60 s (`unavailable`), a file may take 10 minutes. Uses one connection of the pool, which is made anew at the
/// end.
///
/// Errors are for the log of a start, so they name the file and quote the server. `bad_configuration`: a file that was
/// changed after it ran, a wrong name, a gap, a duplicate, a file that fails, a database that is newer than this
/// program.
async::Task<Expected<void>> migrate(Pool& pool, std::string schema, std::span<const embedded::File> files);

}  // namespace cameleer::postgres
