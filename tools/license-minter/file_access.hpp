#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/minting/secret_bytes.hpp>
#include <filesystem>
#include <optional>
#include <string>

namespace cameleer::license_minter {

/// A file's content, read past every buffer that is not wiped. `-`: stdin. not_found with a sentence, which never
/// repeats the path: somebody may have typed a key in its place.
struct SecretFile {
  minting::SecretBytes content;
  bool readable_by_others = false;  ///< a regular file with any permission for group or world
};
Expected<SecretFile> read_secret_file(const std::string& path);

/// The same for what is no secret; at most `most` bytes.
Expected<std::string> read_text_file(const std::string& path, std::size_t most);

enum class Overwrite : unsigned char { no, yes };

/// Writes beside the file, then puts it in place: whoever looks sees the old content or the whole new one. `path` may
/// be a symbolic link to a file. unavailable says what failed.
Expected<void> write_file(const std::filesystem::path& path, std::string_view content, unsigned mode,
                          Overwrite overwrite);

/// Removes the file if it is one.
void remove_file(const std::filesystem::path& path);

/// Writes to stdout at once; unavailable when it cannot.
Expected<void> write_stdout(std::string_view content);

}  // namespace cameleer::license_minter
