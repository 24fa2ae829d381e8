#include "migration_files.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

namespace cameleer::postgres {
namespace {

std::string sha256(std::string_view content) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(content.data(), content.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("no SHA-256 in OpenSSL");
  }
  std::string text;
  for (unsigned index = 0; index < size; ++index) text += fmt::format("{:02x}", digest[index]);
  return text;
}

/// Of `V0001__name.sql`; 0 when the name is not of that form.
int version_of(std::string_view name) {
  if (name.size() < 12 || name[0] != 'V' || name.substr(5, 2) != "__" || !name.ends_with(".sql")) return 0;
  int version = 0;
  auto [end, error] = std::from_chars(name.data() + 1, name.data() + 5, version);
  return error == std::errc() && end == name.data() + 5 ? version : 0;
}

}  // namespace

Expected<std::vector<MigrationFile>> read_migration_files(std::span<const embedded::File> files) {
  std::vector<MigrationFile> read;
  for (const auto& file : files) {
    int version = version_of(file.name);
    if (version <= 0) {
      return fail(ErrorCode::bad_configuration, fmt::format("{} is not named V0001__name.sql.", file.name));
    }
    read.push_back({version, std::string(file.name), sha256(file.content), std::string(file.content)});
  }
  std::sort(read.begin(), read.end(), [](const auto& one, const auto& other) { return one.version < other.version; });
  for (std::size_t index = 0; index < read.size(); ++index) {
    int expected = static_cast<int>(index) + 1;
    if (read[index].version < expected) {
      return fail(ErrorCode::bad_configuration,
                  fmt::format("{} and {} have one version.", read[index - 1].name, read[index].name));
    }
    if (read[index].version > expected) {
      return fail(ErrorCode::bad_configuration,
                  fmt::format("There is no version {} before {}.", expected, read[index].name));
    }
  }
  return read;
}

}  // namespace cameleer::postgres
