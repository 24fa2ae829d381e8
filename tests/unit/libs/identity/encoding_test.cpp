#include <cameleer/identity/encoding.hpp>
#include <catch2/catch.hpp>
#include <set>

using namespace cameleer::identity;

TEST_CASE("comparison looks at every byte") {
  CHECK(equal_in_constant_time("abc", "abc"));
  CHECK_FALSE(equal_in_constant_time("abc", "abd"));
  CHECK_FALSE(equal_in_constant_time("abc", "ab"));
  CHECK(equal_in_constant_time("", ""));
}

TEST_CASE("an API key has the prefix, 256 bits and a digest that belongs to it") {
  const auto random = system_random();
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto key = make_api_key(random);
    CHECK(key.secret.size() == 47);
    CHECK(key.secret.starts_with("cmk_"));
    CHECK(key.prefix == key.secret.substr(0, 12));
    CHECK(key.hash == sha256_hex(key.secret));
    CHECK(seen.insert(key.secret).second);
  }
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("random UUIDs are of version 4 and recognised") {
  const auto uuid = random_uuid(system_random());
  CHECK(is_uuid(uuid));
  CHECK(uuid[14] == '4');
  CHECK_FALSE(is_uuid("bootstrap"));
  CHECK_FALSE(is_uuid("0B6F5F0E-52c5-4f0e-9d0c-3f9a4b7c1d2e"));
}
