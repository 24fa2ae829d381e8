#include <cameleer/identity/secret_box.hpp>
#include <catch2/catch.hpp>

using namespace cameleer::identity;

namespace {

Keys keys_of(char root, std::optional<char> previous = std::nullopt) {
  std::optional<MasterKey> before;
  if (previous) before = MasterKey::from_bytes(std::string(32, *previous));
  return Keys(MasterKey::from_bytes(std::string(32, root)), before);
}

}  // namespace

TEST_CASE("a sealed secret opens in its place only, and shows nothing of itself") {
  const auto keys = keys_of('a');
  for (const std::string& secret :
       {std::string("s3cret"), std::string(), std::string("\0\xff", 2), std::string(100'000, 'x')}) {
    const auto sealed = seal(keys, secret, "oidc.client-secret", system_random());
    CHECK(open(keys, sealed, "oidc.client-secret") == secret);
    CHECK_FALSE(open(keys, sealed, "oidc.other").has_value());
    CHECK_FALSE(open(keys, sealed, "").has_value());
    if (!secret.empty()) CHECK(sealed.find(secret) == std::string::npos);
    CHECK(sealed != seal(keys, secret, "oidc.client-secret", system_random()));
  }
}

TEST_CASE("a change of any character is found") {
  const auto keys = keys_of('a');
  const auto sealed = seal(keys, "s3cret", "place", system_random());
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    auto changed = sealed;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    CHECK_FALSE(open(keys, changed, "place").has_value());
    CHECK_FALSE(open(keys, sealed.substr(0, at), "place").has_value());
  }
  for (const auto* text : {"", "v1.", "v1..", "v2.x.y", "v1.0000000000000000.AAAA"}) {
    CHECK_FALSE(open(keys, text, "place").has_value());
  }
}

TEST_CASE("what the previous root sealed opens while it is known, and is found by how it begins") {
  const auto old_keys = keys_of('a'), both = keys_of('b', 'a'), new_keys = keys_of('b');
  const auto sealed = seal(old_keys, "s3cret", "place", system_random());
  CHECK(open(both, sealed, "place") == "s3cret");
  CHECK(sealed.starts_with(sealed_prefix(*both.previous_secrets_id())));
  CHECK_FALSE(open(new_keys, sealed, "place").has_value());
  const auto anew = seal(both, "s3cret", "place", system_random());
  CHECK(anew.starts_with(sealed_prefix(both.secrets().id)));
  CHECK_FALSE(anew.starts_with(sealed_prefix(*both.previous_secrets_id())));
  CHECK(open(new_keys, anew, "place") == "s3cret");
  CHECK_FALSE(new_keys.previous_secrets_id().has_value());
}
