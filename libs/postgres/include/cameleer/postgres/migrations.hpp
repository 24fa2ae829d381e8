#pragma once
#include <cameleer/core/embedded.hpp>
#include <cameleer/postgres/pool.hpp>

namespace cameleer::postgres {

/// Brings the schema to the newest version. `files` are `V0001__name.sql`, applied in order, each in one transaction,
/// noted in `<schema>.schema_migrations` with its SHA-256. Processes that start at once take turns under an advisory
/// lock that contains the schema's name. Errors: a file that was changed after it ran, a gap, a database that is newer
/// than this program.
async::Task<Expected<void>> migrate(Pool& pool, std::string schema, std::span<const embedded::File> files);

}  // namespace cameleer::postgres
