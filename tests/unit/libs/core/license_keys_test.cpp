#include <catch2/catch.hpp>

#include "license_fixture.hpp"

using namespace cameleer;
using namespace cameleer::licensing_test;

namespace {

const SigningKey kA('a'), kB('b'), kC('c');

std::string raw(const LicenseKey& key) {
  return base64(std::string_view(reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()));
}

std::string pem(const LicenseKey& key) {
  return "-----BEGIN PUBLIC KEY-----\n" + to_spki(key) + "\n-----END PUBLIC KEY-----\n";
}

LicenseKey key_of(std::string_view hex) {
  LicenseKey key;
  for (std::size_t i = 0; i < key.bytes.size(); ++i) {
    key.bytes[i] = static_cast<unsigned char>(std::stoi(std::string(hex.substr(2 * i, 2)), nullptr, 16));
  }
  return key;
}

}  // namespace

TEST_CASE("a public key is read from its X.509 form, its 32 bytes and PEM, white space around it or not") {
  const auto key = kA.public_key();
  for (const auto& text : {to_spki(key), raw(key), pem(key)}) {
    CAPTURE(text);
    bool had_white_space = false;
    CHECK(read_license_key(text, &had_white_space) == key);
    CHECK(had_white_space == text.ends_with('\n'));
    CHECK(read_license_key(" \t" + text + "\r\n", &had_white_space) == key);
    CHECK(had_white_space);
  }
}

TEST_CASE("what is no Ed25519 public key is refused with the rule it breaks") {
  const auto spki = decode_base64(to_spki(kA.public_key())).value();
  struct Row {
    std::string text;
    const char* rule;
  };
  const Row rows[] = {
      {"", "empty"},
      {" \n", "empty"},
      {"nonsense!", "neither base64"},
      {to_spki(kA.public_key()).substr(1), "neither base64"},
      {to_spki(kA.public_key()).insert(20, " "), "neither base64"},
      {base64url(spki) + "-", "neither base64"},
      {base64(spki + "x"), "no Ed25519"},
      {base64(spki.substr(1)), "no Ed25519"},
      {base64("x" + spki.substr(1)), "no Ed25519"},
      {base64(std::string(33, 'x')), "no Ed25519"},
      {base64(std::string(91, 'x')), "no Ed25519"},
      {"-----BEGIN PRIVATE KEY-----\n" + to_spki(kA.public_key()) + "\n-----END PRIVATE KEY-----", "nor PEM"},
      {"-----BEGIN PUBLIC KEY-----", "nor PEM"},
      {"-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----", "no Ed25519"},
      {base64(std::string(32, '\0')), "small order"},
      {std::string(70'000, 'A'), "too long"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text.substr(0, 100));
    const auto key = read_license_key(row.text);
    REQUIRE_FALSE(key.has_value());
    CHECK(key.error().code == ErrorCode::bad_configuration);
    CHECK_THAT(key.error().message, Catch::Contains(row.rule));
  }
}

TEST_CASE("a list of keys is read from JSON, from lines and commas, and from PEM") {
  const auto a = to_spki(kA.public_key()), b = to_spki(kB.public_key());
  const std::vector named{kA.public_key("2025"), kB.public_key("2026")};
  const std::vector bare{kA.public_key(), kB.public_key()};
  const std::vector half{kA.public_key(), kB.public_key("2026")};
  struct Row {
    std::string text;
    std::vector<LicenseKey> keys;
  };
  const Row rows[] = {
      {"", {}},
      {" \n", {}},
      {"[]", {}},
      {a, {kA.public_key()}},
      {a + "," + b, bare},
      {" " + a + " ,\n\n" + b + "\r\n", bare},
      {"2025=" + a + "\n2026=" + b, named},
      {a + ",2026 = " + b, half},
      {pem(kA.public_key()) + "\n" + pem(kB.public_key()), bare},
      {R"([")" + a + R"(","2026)" + "\"]", {}},
      {R"([")" + a + R"(",{"keyId":"2026","key":")" + b + R"(","note":1}])", half},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto ring = read_license_keys(row.text, LicenseTrust::embedded);
    if (row.text.ends_with("2026\"]")) {
      CHECK_FALSE(ring.has_value());
      continue;
    }
    REQUIRE(ring.has_value());
    CHECK(ring->keys() == row.keys);
    CHECK(ring->trust() == (row.keys.empty() ? LicenseTrust::none : LicenseTrust::embedded));
  }
  const auto windows = read_license_keys(
      R"([{"key":")" + a + R"(","validFrom":"2026-01-01T00:00:00Z","validUntil":1800000000}])", LicenseTrust::embedded);
  REQUIRE(windows.has_value());
  CHECK(windows->keys()[0].valid_from == at("2026-01-01T00:00:00Z"));
  CHECK(windows->keys()[0].valid_until == Instant(std::chrono::seconds(1'800'000'000)));
}

TEST_CASE("a list with a fault is refused as a whole, naming the entry") {
  const auto a = to_spki(kA.public_key()), b = to_spki(kB.public_key());
  std::string nine;
  for (char seed = '1'; seed <= '9'; ++seed) nine += to_spki(SigningKey(seed).public_key()) + "\n";
  struct Row {
    std::string text;
    const char* fault;
  };
  const Row rows[] = {
      {a + "\nnonsense!", "Entry 2"},
      {"[", "no valid JSON array"},
      {"[1]", "Entry 1"},
      {R"([{"key":7}])", "Entry 1"},
      {R"([{"keyId":"x"}])", "Entry 1"},
      {R"([{"key":")" + a + R"(","key":")" + b + R"("}])", "no valid JSON array"},
      {R"([],"x":[])", "no valid JSON array"},
      {R"([{"key":")" + a + R"(","keyId":7}])", "Entry 1"},
      {R"([{"key":")" + a + R"(","keyId":"a b"}])", "key id of 1 to 64"},
      {R"([{"key":")" + a + R"(","validFrom":"yesterday"}])", "Entry 1"},
      {R"([{"key":")" + a + R"(","validFrom":20,"validUntil":10}])", "Entry 1"},
      {a + "," + a, "is key 1 again"},
      {"k=" + a + ",k=" + b, "has the key id of key 1"},
      {"=" + a, "key id of 1 to 64"},
      {nine, "At most 8"},
      {pem(kA.public_key()) + "-----BEGIN PUBLIC KEY-----", "Entry 2"},
      {std::string(70'000, ' '), "longer than"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text.substr(0, 200));
    const auto ring = read_license_keys(row.text, LicenseTrust::environment);
    REQUIRE_FALSE(ring.has_value());
    CHECK(ring.error().code == ErrorCode::bad_configuration);
    CHECK_THAT(ring.error().message, Catch::Contains(row.fault));
  }
}

TEST_CASE("points of small order, second spellings and points off the curve are no keys") {
  struct Row {
    const char* hex;
    const char* rule;
  };
  const Row rows[] = {
      {"0000000000000000000000000000000000000000000000000000000000000000", "small order"},
      {"0000000000000000000000000000000000000000000000000000000000000080", "small order"},
      {"0100000000000000000000000000000000000000000000000000000000000000", "small order"},
      {"0100000000000000000000000000000000000000000000000000000000000080", "small order"},
      {"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "small order"},
      {"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "small order"},
      {"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "small order"},
      {"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", "small order"},
      {"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "small order"},
      {"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", "small order"},
      {"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "canonical"},
      {"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "canonical"},
      {"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "canonical"},
      {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "canonical"},
      {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "canonical"},
      {"0200000000000000000000000000000000000000000000000000000000000000", "of the curve"},
      {"0700000000000000000000000000000000000000000000000000000000000000", "of the curve"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.hex);
    const auto ring = LicenseKeyRing::of({key_of(row.hex)}, LicenseTrust::environment);
    REQUIRE_FALSE(ring.has_value());
    CHECK_THAT(ring.error().message, Catch::Contains(row.rule));
    CHECK_FALSE(read_license_key(raw(key_of(row.hex))).has_value());
  }
  // The base point, and whatever OpenSSL makes, are keys.
  CHECK(LicenseKeyRing::of({key_of("5866666666666666666666666666666666666666666666666666666666666666")},
                           LicenseTrust::environment)
            .has_value());
  for (int seed = 1; seed < 100; ++seed) {
    CHECK(read_license_key(raw(SigningKey(static_cast<char>(seed)).public_key())).has_value());
  }
}

TEST_CASE("an environment narrows embedded keys and never adds one") {
  auto old_key = kA.public_key("2025");
  old_key.valid_until = at("2026-06-01T00:00:00Z");
  const auto embedded = LicenseKeyRing::of({old_key, kB.public_key("2026")}, LicenseTrust::embedded).value();
  auto narrower = kA.public_key("other");
  narrower.valid_from = at("2026-01-01T00:00:00Z");
  narrower.valid_until = at("2030-01-01T00:00:00Z");
  const auto narrowed = embedded.narrowed_to(ring_of({kC.public_key(), narrower}));
  REQUIRE(narrowed.keys().size() == 1);
  CHECK(narrowed.trust() == LicenseTrust::embedded);
  CHECK(narrowed.keys()[0].key_id == "2025");
  CHECK(narrowed.keys()[0].valid_from == narrower.valid_from);
  CHECK(narrowed.keys()[0].valid_until == old_key.valid_until);
  CHECK(narrowed.signer_of("m", kA.sign("m")) == narrowed.keys().data());
  CHECK(narrowed.signer_of("m", kB.sign("m")) == nullptr);
  CHECK(narrowed.signer_of("m", kC.sign("m")) == nullptr);
  CHECK(embedded.narrowed_to({}).empty());
  CHECK(embedded.narrowed_to(embedded).keys() == embedded.keys());
}

TEST_CASE("a ring tells which key signed") {
  const auto ring = ring_of({kA.public_key("a"), kB.public_key("b")});
  CHECK(ring.signer_of("m", kB.sign("m"))->key_id == "b");
  CHECK(ring.signer_of("m", kA.sign("m"))->key_id == "a");
  CHECK(ring.signer_of("n", kA.sign("m")) == nullptr);
  CHECK(ring.signer_of("m", kA.sign("m").substr(1)) == nullptr);
  CHECK(ring.signer_of("m", "") == nullptr);
  CHECK(LicenseKeyRing().signer_of("m", kA.sign("m")) == nullptr);
  CHECK(ring.names("a"));
  CHECK_FALSE(ring.names("c"));
}

TEST_CASE("a build without a vendor embeds no keys") {
  CHECK(embedded_license_keys().empty());
}
