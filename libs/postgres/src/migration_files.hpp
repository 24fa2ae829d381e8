#pragma once
#include <cameleer/core/embedded.hpp>
#include <cameleer/core/error.hpp>
#include <span>
#include <string>
#include <vector>

namespace cameleer::postgres {

struct MigrationFile {
  int version = 0;
  std::string name;      ///< of the file: `V0001__name.sql`
  std::string checksum;  ///< SHA-256 of the content, hex
  std::string sql;
};

/// In order of version, which counts 1, 2, 3, … without gaps.
Expected<std::vector<MigrationFile>> read_migration_files(std::span<const embedded::File> files);

}  // namespace cameleer::postgres
