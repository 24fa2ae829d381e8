#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/password.hpp>
#include <catch2/catch.hpp>

using namespace cameleer::identity;

TEST_CASE("a password verifies against its own hash only") {
  const auto random = system_random();
  const auto hash = hash_password("Correct-Horse-1", random);
  CHECK(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
  CHECK(verify_password("Correct-Horse-1", hash));
  CHECK_FALSE(verify_password("correct-Horse-1", hash));
  CHECK_FALSE(verify_password("", hash));
  CHECK(hash_password("Correct-Horse-1", random) != hash);
  CHECK_FALSE(verify_password("x", "no hash at all"));
}

TEST_CASE("the hash for unknown users is of the same cost and is nobody's") {
  CHECK(nobodys_hash().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
  CHECK(nobodys_hash().size() == hash_password("x", system_random()).size());
  CHECK_FALSE(verify_password("", nobodys_hash()));
  CHECK_FALSE(verify_password("admin", nobodys_hash()));
}

TEST_CASE("the password policy") {
  struct Row {
    std::string password, username;
    bool good;
  };
  const Row rows[] = {
      {"Abcdefghijk1", "admin", true},
      {"Abcdefghij1", "admin", false},     // eleven
      {"abcdefghijkl", "admin", false},    // one class
      {"abcdefghijk1", "admin", false},    // two
      {"abcdefghij-1", "admin", true},     // three without upper case
      {"ABCDEFGHIJ-1", "admin", true},     // three without lower case
      {"My-ADMIN-pass1", "admin", false},  // the name, in any case
      {"My-ADMIN-pass1", "", true},        //
      {"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
       "Aa1",
       "admin", false},  // nine characters in fifteen bytes
      {std::string(1024, 'a').replace(0, 2, "A1"), "admin", true},
      {std::string(1025, 'a').replace(0, 2, "A1"), "admin", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.password, row.username);
    CHECK(password_problem(row.password, row.username).has_value() != row.good);
  }
  for (int i = 0; i < 50; ++i) {
    const auto password = random_password(system_random());
    CHECK(password.size() == 24);
    CHECK_FALSE(password_problem(password, "admin"));
  }
}
