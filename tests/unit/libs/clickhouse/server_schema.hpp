#pragma once
#include <algorithm>
#include <cameleer/clickhouse/client.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace cameleer::test {

/// Brings `database` to the server's schema: the files of `folder`, as the program has them embedded.
inline async::Task<Expected<void>> migrate(clickhouse::Client& engine, std::string database, std::string folder) {
  std::vector<std::pair<std::string, std::string>> contents;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    contents.emplace_back(entry.path().filename().string(), text.str());
  }
  std::sort(contents.begin(), contents.end());
  std::vector<embedded::File> files;
  for (const auto& [name, content] : contents) files.push_back({name, content});
  co_return co_await clickhouse::migrate(engine, database, files);
}

}  // namespace cameleer::test
