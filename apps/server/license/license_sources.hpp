#pragma once
#include <cameleer/async/worker_pool.hpp>
#include <cstdint>
#include <string>

#include "server/license/license_file.hpp"

namespace cameleer::server {

/// Where a licence can come from, the highest first. The highest that is there decides alone: one that does not
/// validate is never skipped.
enum class LicenseSource : std::uint8_t { environment, file, database, none };
std::string_view name_of(LicenseSource source);

/// The sources above the database: the setting and the file, which is looked at again and again. I/O thread only; the
/// file is read on the worker pool.
class LicenseSources {
 public:
  /// Empty: there is none of the kind.
  LicenseSources(async::WorkerPool& workers, std::string token, std::string path);

  /// Reads the file as it is now.
  async::Task<Expected<void>> read_file();
  /// Whether the file was made, changed or removed and has been so for two looks in a row: one that somebody is still
  /// writing is not taken.
  bool file_changed();

  /// `none`: the database decides.
  [[nodiscard]] LicenseSource highest() const;
  /// Of the highest; meaningless for `none`.
  [[nodiscard]] const std::string& token() const { return token_.empty() ? file_.text : token_; }
  /// Why the highest cannot even be read.
  [[nodiscard]] std::optional<std::string> problem() const;

 private:
  async::WorkerPool& workers_;
  std::string token_, path_;
  LicenseFile file_;
  std::string read_stamp_, seen_stamp_;
};

}  // namespace cameleer::server
