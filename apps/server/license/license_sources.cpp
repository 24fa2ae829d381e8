#include "server/license/license_sources.hpp"

namespace cameleer::server {
namespace {

std::string trimmed(const std::string& text) {
  constexpr const char* kWhiteSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kWhiteSpace);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(kWhiteSpace) - first + 1);
}

}  // namespace

std::string_view name_of(LicenseSource source) {
  constexpr std::string_view kNames[] = {"environment", "file", "database", "none"};
  return kNames[static_cast<std::size_t>(source)];
}

LicenseSources::LicenseSources(async::WorkerPool& workers, std::string token, std::string path)
    : workers_(workers), token_(trimmed(token)), path_(std::move(path)) {}

async::Task<Expected<void>> LicenseSources::read_file() {
  if (path_.empty()) co_return Expected<void>{};
  auto stamp = license_file_stamp(path_);
  const auto work = [path = path_] { return read_license_file(path); };
  auto file = co_await workers_.run(work);
  if (!file) co_return std::unexpected(file.error());
  file_ = std::move(*file);
  read_stamp_ = seen_stamp_ = std::move(stamp);
  co_return Expected<void>{};
}

bool LicenseSources::file_changed() {
  if (path_.empty()) return false;
  auto stamp = license_file_stamp(path_);
  const bool settled = stamp == seen_stamp_;
  seen_stamp_ = std::move(stamp);
  return settled && seen_stamp_ != read_stamp_;
}

LicenseSource LicenseSources::highest() const {
  if (!token_.empty()) return LicenseSource::environment;
  return file_.present ? LicenseSource::file : LicenseSource::none;
}

std::optional<std::string> LicenseSources::problem() const {
  if (highest() != LicenseSource::file) return std::nullopt;
  return file_.problem;
}

}  // namespace cameleer::server
