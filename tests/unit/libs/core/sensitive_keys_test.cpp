#include <cameleer/core/sensitive_keys.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;

TEST_CASE("names match in any case, exactly or by glob") {
  const std::vector<std::string> keys{"Authorization", "*password*", "x-?-key", "*"};
  const SensitiveKeys exact(std::span(keys).first(1)), globs(std::span(keys).subspan(1, 2)),
      all(std::span(keys).last(1));
  CHECK(exact.matches("authorization"));
  CHECK(exact.matches("AUTHORIZATION"));
  CHECK_FALSE(exact.matches("Authorization2"));
  CHECK_FALSE(exact.matches(""));
  CHECK(globs.matches("dbPassWordHash"));
  CHECK(globs.matches("password"));
  CHECK(globs.matches("X-1-KEY"));
  CHECK_FALSE(globs.matches("X-12-KEY"));
  CHECK(all.matches(""));
  CHECK(all.matches("anything"));
  CHECK_FALSE(SensitiveKeys({}).matches("password"));
}

TEST_CASE("a glob that could run away stays quick") {
  std::string glob;
  for (int i = 0; i < 50; ++i) glob += "*a";
  const std::vector<std::string> keys{glob + "b"};
  CHECK_FALSE(SensitiveKeys(keys).matches(std::string(20'000, 'a')));
}

TEST_CASE("the default names are those of the protocol") {
  const SensitiveKeys keys(default_sensitive_keys());
  for (const auto* name :
       {"authorization", "Cookie", "set-cookie", "X-Api-Key", "x-auth-token", "proxy-authorization"}) {
    CHECK(keys.matches(name));
  }
  CHECK_FALSE(keys.matches("Content-Type"));
}
