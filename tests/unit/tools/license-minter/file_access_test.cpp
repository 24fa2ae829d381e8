#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <license-minter/file_access.hpp>
#include <sstream>

#include "../../temporary_folder.hpp"

using namespace cameleer;
using namespace cameleer::license_minter;
namespace fs = std::filesystem;

namespace {

std::string content_of(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

unsigned mode_of(const fs::path& path) {
  struct stat status{};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777U;
}

std::ptrdiff_t files_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), {});
}

}  // namespace

TEST_CASE("a file is written whole, with its mode, and nothing is left beside it") {
  const test::TemporaryFolder folder;
  const auto path = folder.path / "token";
  REQUIRE(write_file(path, "first", 0600, Overwrite::no));
  CHECK(content_of(path) == "first");
  CHECK(mode_of(path) == 0600);
  REQUIRE(write_file(path, "second", 0644, Overwrite::yes));
  CHECK(content_of(path) == "second");
  CHECK(mode_of(path) == 0644);
  CHECK(files_in(folder.path) == 1);
}

TEST_CASE("a file that exists is kept unless it may be overwritten") {
  const test::TemporaryFolder folder;
  const auto path = folder.path / "key";
  REQUIRE(write_file(path, "first", 0600, Overwrite::no));
  const auto again = write_file(path, "second", 0600, Overwrite::no);
  REQUIRE_FALSE(again);
  CHECK_THAT(again.error().message, Catch::Contains("File exists"));
  CHECK(content_of(path) == "first");
  CHECK(files_in(folder.path) == 1);
}

TEST_CASE("what is no regular file is not replaced, and a link is followed") {
  const test::TemporaryFolder folder;
  CHECK_THAT(write_file(folder.path, "x", 0600, Overwrite::yes).error().message, Catch::Contains("no regular file"));
  CHECK_FALSE(write_file("/dev/null", "x", 0600, Overwrite::yes));
  CHECK(fs::is_character_file("/dev/null"));
  CHECK_FALSE(write_file(folder.path / "none" / "file", "x", 0600, Overwrite::yes));
  fs::create_symlink(folder.path / "target", folder.path / "link");
  REQUIRE(write_file(folder.path / "link", "x", 0600, Overwrite::yes));
  CHECK(fs::is_symlink(folder.path / "link"));
  CHECK(content_of(folder.path / "target") == "x");
}

TEST_CASE("a secret's file tells whether others may reach it") {
  const test::TemporaryFolder folder;
  const auto path = folder.path / "key";
  for (const auto& [mode, others] :
       {std::pair{0600U, false}, {0400U, false}, {0640U, true}, {0604U, true}, {0610U, true}}) {
    CAPTURE(mode);
    REQUIRE(write_file(path, "secret", mode, Overwrite::yes));
    const auto file = read_secret_file(path);
    REQUIRE(file);
    CHECK(file->content.text() == "secret");
    CHECK(file->readable_by_others == others);
  }
}

TEST_CASE("a file that cannot be read says why, and never its path") {
  const test::TemporaryFolder folder;
  const auto missing = read_secret_file(folder.path / "MC4CAQAw");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message == "cannot be read: No such file or directory");
  CHECK_FALSE(read_secret_file(folder.path));
  REQUIRE(write_file(folder.path / "long", std::string(100, 'x'), 0600, Overwrite::no));
  CHECK(read_text_file(folder.path / "long", 100)->size() == 100);
  CHECK_THAT(read_text_file(folder.path / "long", 99).error().message, Catch::Contains("more than 99 bytes"));
  CHECK_THAT(read_secret_file("/dev/zero").error().message, Catch::Contains("more than 16384 bytes"));
}

TEST_CASE("only a file is removed") {
  const test::TemporaryFolder folder;
  REQUIRE(write_file(folder.path / "file", "x", 0600, Overwrite::no));
  remove_file(folder.path / "file");
  CHECK_FALSE(fs::exists(folder.path / "file"));
  remove_file(folder.path / "file");
  remove_file(folder.path);
  CHECK(fs::exists(folder.path));
}
