#include "server/license/license_file.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "../../../temporary_folder.hpp"

namespace cameleer::server {
namespace {

struct Folder : test::TemporaryFolder {
  [[nodiscard]] std::string write(const std::string& text) const {
    const auto file = (path / "license.jwt").string();
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }
};

TEST_CASE("a licence file is read whole, without the white space that editors add") {
  const Folder folder;
  const auto file = read_license_file(folder.write(" \n abc.def\r\n\n"));
  CHECK(file.present);
  CHECK(file.text == "abc.def");
  CHECK_FALSE(file.problem);
}

TEST_CASE("a file that is not there is no problem, one that cannot be used is") {
  const Folder folder;
  CHECK(read_license_file((folder.path / "nothing").string()) == LicenseFile{});
  CHECK(read_license_file((folder.path / "no" / "folder").string()) == LicenseFile{});
  const auto directory = read_license_file(folder.path.string());
  CHECK(directory.present);
  CHECK(directory.problem.value_or("") == "it is not a file");
  const auto large = read_license_file(folder.write(std::string(64 * 1024 + 1, 'a')));
  CHECK(large.present);
  CHECK(large.problem.value_or("") == "the file is larger than 64 KiB");
  const auto empty = read_license_file(folder.write("\n"));
  CHECK(empty.present);
  CHECK(empty.text.empty());
  CHECK_FALSE(empty.problem);
}

TEST_CASE("the stamp of a file changes with it") {
  const Folder folder;
  CHECK(license_file_stamp((folder.path / "license.jwt").string()).empty());
  const auto file = folder.write("one");
  const auto first = license_file_stamp(file);
  CHECK_FALSE(first.empty());
  CHECK(license_file_stamp(file) == first);
  const auto other = folder.path / "other";
  std::ofstream(other) << "two";
  std::filesystem::rename(other, file);
  CHECK(license_file_stamp(file) != first);
}

}  // namespace
}  // namespace cameleer::server
