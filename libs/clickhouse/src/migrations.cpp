#include <fmt/format.h>
#include <openssl/evp.h>

#include <charconv>
#include <map>

#include "client_impl.hpp"

namespace cameleer::clickhouse {
namespace {

struct Migration {
  std::uint32_t version;
  std::string_view name;
  std::string checksum;
  std::vector<std::string> statements;
};

std::string sha256_hex(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 is not available");
  }
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

/// Statements end at a line that is only `;`; those of comments alone are none.
std::vector<std::string> statements_of(std::string_view content) {
  std::vector<std::string> statements;
  std::string statement;
  bool has_code = false;
  const auto end = [&] {
    if (has_code) statements.push_back(std::move(statement));
    statement.clear();
    has_code = false;
  };
  while (!content.empty()) {
    const auto line_end = std::min(content.find('\n'), content.size());
    auto line = content.substr(0, line_end);
    content.remove_prefix(std::min(line_end + 1, content.size()));
    const auto first = line.find_first_not_of(" \t\r");
    const auto last = line.find_last_not_of(" \t\r");
    const auto bare = first == std::string_view::npos ? std::string_view() : line.substr(first, last - first + 1);
    if (bare == ";") {
      end();
      continue;
    }
    has_code = has_code || (!bare.empty() && !bare.starts_with("--"));
    statement.append(line).push_back('\n');
  }
  end();
  return statements;
}

std::optional<std::uint32_t> version_of(std::string_view name) {
  if (!name.starts_with('V') || !name.ends_with(".sql")) return std::nullopt;
  std::uint32_t version = 0;
  const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), version);
  const auto rest = std::string_view(end, static_cast<std::size_t>(name.data() + name.size() - end));
  if (error != std::errc() || version == 0 || !rest.starts_with("__")) return std::nullopt;
  return version;
}

/// In order of their versions, which start at 1 and have no gap.
Expected<std::vector<Migration>> read_files(std::span<const embedded::File> files) {
  std::map<std::uint32_t, Migration> ordered;
  for (const auto& file : files) {
    const auto name = file.name.substr(file.name.rfind('/') + 1);
    const auto version = version_of(name);
    if (!version) {
      return fail(ErrorCode::bad_configuration, fmt::format("The migration {} is not named V0001__name.sql.", name));
    }
    Migration migration{*version, name, sha256_hex(file.content), statements_of(file.content)};
    if (!ordered.emplace(*version, std::move(migration)).second) {
      return fail(ErrorCode::bad_configuration, fmt::format("There are two migrations of version {}.", *version));
    }
  }
  std::vector<Migration> migrations;
  for (auto& [version, migration] : ordered) {
    if (version != migrations.size() + 1) {
      return fail(ErrorCode::bad_configuration,
                  fmt::format("The migration of version {} is missing.", migrations.size() + 1));
    }
    migrations.push_back(std::move(migration));
  }
  return migrations;
}

Error with_words(EngineError failure, std::string_view where) {
  auto message = fmt::format("{}: {}", where, failure.error.message);
  if (!failure.text.empty()) message += " " + failure.text;
  return {failure.error.code, std::move(message)};
}

using Applied = std::map<std::uint32_t, std::string>;  // version → checksum

Expected<void> check_applied(const std::vector<Migration>& migrations, const Applied& applied,
                             std::string_view database) {
  for (const auto& [version, checksum] : applied) {
    if (version > migrations.size()) {
      return fail(ErrorCode::bad_configuration,
                  fmt::format("The ClickHouse database {} has version {}, newer than this program's {}.", database,
                              version, migrations.size()));
    }
    const auto& file = migrations[version - 1];
    if (file.checksum != checksum) {
      return fail(
          ErrorCode::bad_configuration,
          fmt::format("The migration {} was changed after it ran in the ClickHouse database {}.", file.name, database));
    }
  }
  return {};
}

constexpr std::string_view kTable =
    "CREATE TABLE IF NOT EXISTS schema_migrations (version UInt32, name String, checksum String, "
    "applied_at DateTime64(3) DEFAULT now64(3)) ENGINE = ReplacingMergeTree ORDER BY version";

}  // namespace

async::Task<Expected<void>> migrate(Client& client, std::string database, std::span<const embedded::File> files) {
  const auto engine = client.impl_;
  auto migrations = read_files(files);
  if (!migrations) co_return std::unexpected(std::move(migrations.error()));

  // Looked for first: the user of one tenant need not have the right to create databases.
  bool exists = false;
  const auto saw = [&exists](const Row& row) { return exists = row.integer(0) > 0; };
  const Parameters named{Parameter::text("database", database)};
  auto done =
      co_await engine->select({"SELECT count() FROM system.databases WHERE name = {database:String}", named, {}}, saw);
  if (done && !exists) {
    done = co_await engine->execute(
        {fmt::format("CREATE DATABASE IF NOT EXISTS {} ENGINE = Atomic", quote_identifier(database)), {}, {}});
  }
  if (done) done = co_await engine->execute({std::string(kTable), {}, database});
  if (!done) co_return std::unexpected(with_words(std::move(done.error()), "Preparing the ClickHouse database"));

  Applied applied;
  const auto note = [&applied](const Row& row) {
    applied[static_cast<std::uint32_t>(row.integer(0))] = row.text(1);
    return true;
  };
  done = co_await engine->select({"SELECT version, checksum FROM schema_migrations FINAL", {}, database}, note);
  if (!done) co_return std::unexpected(with_words(std::move(done.error()), "Reading schema_migrations"));
  if (auto checked = check_applied(*migrations, applied, database); !checked) co_return checked;

  for (const auto& migration : *migrations) {
    if (applied.contains(migration.version)) continue;
    for (const auto& statement : migration.statements) {
      done = co_await engine->execute({statement, {}, database});
      if (!done) co_return std::unexpected(with_words(std::move(done.error()), migration.name));
    }
    const Parameters row{Parameter::integer("version", migration.version), Parameter::text("name", migration.name),
                         Parameter::text("checksum", migration.checksum)};
    done =
        co_await engine->execute({"INSERT INTO schema_migrations (version, name, checksum) "
                                  "SELECT {version:UInt32}, {name:String}, {checksum:String}",
                                  row, database});
    if (!done) co_return std::unexpected(with_words(std::move(done.error()), migration.name));
  }
  co_return Expected<void>();
}

}  // namespace cameleer::clickhouse
