#pragma once
#include <optional>
#include <string>

namespace cameleer::server {

/// A small file, as it was found.
struct LicenseFile {
  bool present = false;
  std::string text = {};                    ///< without white space at its ends
  std::optional<std::string> problem = {};  ///< it is there and cannot be used: why
  bool operator==(const LicenseFile&) const = default;
};

/// Reads it whole, up to 64 KiB. For any thread; blocks on the file.
LicenseFile read_license_file(const std::string& path);

/// What changes when the file does, without reading it: device, inode, size, times. Empty: there is none.
std::string license_file_stamp(const std::string& path);

}  // namespace cameleer::server
