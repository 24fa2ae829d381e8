#include "server/data_directory/data_directory.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "../../../temporary_folder.hpp"

using namespace cameleer;
using cameleer::server::DataDirectory;
using cameleer::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

void fill_with_seven(std::span<std::byte> bytes) {
  std::fill(bytes.begin(), bytes.end(), std::byte{7});
}

}  // namespace

TEST_CASE("a second server on the same directory is refused by name") {
  TemporaryFolder folder;
  auto first = DataDirectory::open(folder.path / "data");
  REQUIRE(first.has_value());
  const auto second = DataDirectory::open(folder.path / "data");
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().member == "cameleer.server.data-dir");
  CHECK(second.error().message.find("in use by another cameleer-server") != std::string::npos);
}

TEST_CASE("the lock ends with its owner") {
  TemporaryFolder folder;
  {
    REQUIRE(DataDirectory::open(folder.path).has_value());
  }
  CHECK(DataDirectory::open(folder.path).has_value());
}

TEST_CASE("the master key is made once and kept to its owner") {
  TemporaryFolder folder;
  const auto directory = DataDirectory::open(folder.path);
  const auto made = directory->master_key(fill_with_seven);
  REQUIRE(made.has_value());
  CHECK(made->created);
  CHECK(made->bytes == std::string(32, '\7'));
  struct stat status{};
  REQUIRE(::stat((folder.path / "master.key").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const auto again = directory->master_key([](auto) { FAIL("no second key"); });
  CHECK_FALSE(again->created);
  CHECK(again->bytes == made->bytes);
}

TEST_CASE("a master key of a wrong size or that others can read is refused") {
  TemporaryFolder folder;
  const auto directory = DataDirectory::open(folder.path);
  std::ofstream(folder.path / "master.key") << "short";
  fs::permissions(folder.path / "master.key", fs::perms::owner_read | fs::perms::owner_write);
  CHECK(directory->master_key(fill_with_seven).error().message.find("exactly 32 bytes") != std::string::npos);
  fs::permissions(folder.path / "master.key", fs::perms::owner_read | fs::perms::others_read);
  CHECK(directory->master_key(fill_with_seven).error().message.find("owner only") != std::string::npos);
}

TEST_CASE("a path that cannot be a directory is one sentence") {
  TemporaryFolder folder;
  std::ofstream(folder.path / "file") << "x";
  const auto directory = DataDirectory::open(folder.path / "file" / "data");
  REQUIRE_FALSE(directory.has_value());
  CHECK(directory.error().message.find("cannot be created") != std::string::npos);
}

TEST_CASE("the first-start file keeps what an interrupted first start wrote, and replaces what is told again") {
  TemporaryFolder folder;
  const auto directory = DataDirectory::open(folder.path);
  REQUIRE(directory->note_first_start("api-key", "one").has_value());
  REQUIRE(directory->note_first_start("password", "x").has_value());
  const auto path = directory->note_first_start("password", "y");
  REQUIRE(path.has_value());
  std::ifstream file(*path);
  std::vector<std::string> values;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with('#')) values.push_back(line);
  }
  CHECK(values == std::vector<std::string>{"api-key=one", "password=y"});
  CHECK_FALSE(fs::exists(path->string() + ".new"));
  struct stat status{};
  REQUIRE(::stat(path->c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}
