#pragma once
#include <span>
#include <string_view>

namespace cameleer::embedded {

/// A file that the build put into the binary (`cameleer_embed` in deploy/cmake). Lives as long as the process.
struct File {
  std::string_view name;     ///< relative path, `/`-separated
  std::string_view content;  ///< the bytes as they were at build time
};

}  // namespace cameleer::embedded
