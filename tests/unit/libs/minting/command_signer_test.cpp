#include <cameleer/minting/signer.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::minting;
using namespace std::chrono_literals;

namespace {

std::span<const unsigned char> bytes_of(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

Expected<Signature> sign(const std::string& command, std::string_view payload = "payload",
                         std::chrono::milliseconds patience = 60s) {
  return CommandSigner(command, {}, patience).sign(bytes_of(payload));
}

std::string text_of(const Signature& signature) {
  return {signature.begin(), signature.end()};
}

}  // namespace

TEST_CASE("a command that signs gets the payload on stdin and gives 64 raw bytes on stdout") {
  const std::string payload(64, 'x');
  const auto signature = sign("cat", payload);
  REQUIRE(signature);
  CHECK(text_of(*signature) == payload);
  CHECK(text_of(*sign("printf '%064d' 7")).back() == '7');
  // Bytes that are no text, in parts.
  CHECK(text_of(*sign("head -c 32 /dev/zero; head -c 32 /dev/zero")) == std::string(64, '\0'));
}

TEST_CASE("the payload may be of any size, be read twice, or not at all") {
  const std::string payload(1'000'000, 'x');
  const auto counted = sign("a=$(wc -c < /dev/stdin); b=$(wc -c < /dev/stdin); printf '%032d%032d' $a $b", payload);
  REQUIRE(counted);
  CHECK(text_of(*counted).ends_with("1000000"));
  CHECK(text_of(*counted).substr(25, 7) == "1000000");
  CHECK(sign("exec <&-; printf '%064d' 0", payload));
}

TEST_CASE("a command that does not sign ends in an error that says how") {
  const std::pair<std::string, std::string> rows[] = {
      {"exit 3", "ended with status 3"},
      {"printf '%064d' 0; exit 1", "ended with status 1"},
      {"true", "wrote 0 bytes instead of the 64"},
      {"printf '%063d' 0", "wrote 63 bytes instead of the 64"},
      {"printf '%065d' 0", "wrote more than the 64 bytes"},
      {"yes", "wrote more than the 64 bytes"},
      {"kill -9 $$", "was ended by signal 9"},
      {"/nowhere/to/be/found 2>/dev/null", "ended with status 127"},
      {"", "wrote 0 bytes"},
  };
  for (const auto& [command, rule] : rows) {
    CAPTURE(command);
    const auto signature = sign(command);
    REQUIRE_FALSE(signature);
    CHECK(signature.error().code == ErrorCode::upstream_error);
    CHECK_THAT(signature.error().message, Catch::Contains(rule));
  }
}

TEST_CASE("a command that takes too long is given up, whether it is silent, has closed its output or talks on") {
  for (const std::string command : {"exec sleep 600", "exec sleep 600 >&-", "printf '%064d' 0; exec sleep 600",
                                    "printf '%064d' 0; exec >&-; exec sleep 600"}) {
    CAPTURE(command);
    const auto signature = sign(command, "payload", 200ms);
    REQUIRE_FALSE(signature);
    CHECK(signature.error().code == ErrorCode::upstream_timeout);
    CHECK_THAT(signature.error().message, Catch::Contains("took longer than 200 ms"));
  }
}

TEST_CASE("the signer tells the public key that it was given, and no other") {
  CHECK_FALSE(CommandSigner("true").public_key());
  LicenseKey key;
  key.bytes.fill(7);
  CHECK(CommandSigner("true", key).public_key() == key);
}
