#include <cameleer/identity/command_signature.hpp>
#include <cameleer/identity/encoding.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::identity;

namespace {

const std::string kEnvelope = R"({"commandId":"c","body":{"ä":1}})";

Keys keys_of(char fill) {
  return Keys(MasterKey::from_bytes(std::string(32, fill)));
}

}  // namespace

TEST_CASE("a signed command carries the envelope's bytes and verifies against the public key") {
  const auto keys = keys_of('k');
  const auto signed_command = sign_command(keys.command_signing(), kEnvelope);
  CHECK(signed_command.key_id == keys.command_signing().id);
  CHECK(decode_base64url(signed_command.payload) == kEnvelope);
  CHECK(decode_base64url(signed_command.signature)->size() == 64);
  const auto verified = verify_command(signed_command, keys.command_public_key());
  REQUIRE(verified);
  CHECK(*verified == kEnvelope);
  // Ed25519 has one signature for a key and a text, so that a command sent again is the same.
  CHECK(sign_command(keys.command_signing(), kEnvelope).signature == signed_command.signature);
}

TEST_CASE("anything changed is refused") {
  const auto keys = keys_of('k');
  const auto good = sign_command(keys.command_signing(), kEnvelope);
  const auto refused = [&](SignedCommand command, const std::string& key) {
    const auto verified = verify_command(command, key);
    return !verified && verified.error().code == ErrorCode::invalid_token;
  };
  auto other = good;
  other.payload = base64url(R"({"commandId":"d"})");
  CHECK(refused(other, keys.command_public_key()));
  other = good;
  other.signature[3] = other.signature[3] == 'A' ? 'B' : 'A';
  CHECK(refused(other, keys.command_public_key()));
  other = good;
  other.signature.clear();
  CHECK(refused(other, keys.command_public_key()));
  other = good;
  other.signature += "!";
  CHECK(refused(other, keys.command_public_key()));
  CHECK(refused(good, keys_of('l').command_public_key()));
  for (const auto* key : {"", "AAAA", "no base64"}) CHECK(refused(good, key));
}
