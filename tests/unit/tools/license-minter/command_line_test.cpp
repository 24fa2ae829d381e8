#include <catch2/catch.hpp>
#include <license-minter/command_line.hpp>

using namespace cameleer;
using namespace cameleer::license_minter;
using Words = std::vector<std::string>;

namespace {

const Words kMint = {"--private-key", "key.pem", "--tenant", "acme", "--expires", "2099-01-01"};

Words mint_and(const Words& more) {
  auto words = kMint;
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

TEST_CASE("a flag's value stands after a blank or an equals sign") {
  for (const auto& words : {kMint, Words{"--private-key=key.pem", "--tenant=acme", "--expires=2099-01-01"}}) {
    const auto line = parse_command_line(words);
    REQUIRE(line);
    CHECK(line->mode == Mode::mint);
    CHECK(line->signing.private_key == "key.pem");
    CHECK(line->license.tenant == "acme");
    CHECK(line->license.expires == "2099-01-01");
    CHECK_FALSE(line->license.label);
    CHECK_FALSE(line->signing.output);
    CHECK(line->format == minting::TokenFormat::token);
  }
}

TEST_CASE("every flag of minting is taken") {
  auto words = mint_and({"--label=A = B", "--grace-days=14", "--tier=team", "--key-id=2026", "--feature=a", "--feature",
                         "b", "--format=jwt", "--public-key=k.pub", "--output=o", "--verify", "--json"});
  for (const auto limit : license_limits()) words.push_back(flag_of(limit) + "=" + std::string(name_of(limit)));
  const auto line = parse_command_line(words);
  REQUIRE(line);
  CHECK(line->license.label == "A = B");
  CHECK(line->license.grace_days == "14");
  CHECK(line->license.tier == "team");
  CHECK(line->license.key_id == "2026");
  CHECK(line->license.features == Words{"a", "b"});
  CHECK(line->format == minting::TokenFormat::jwt);
  CHECK(line->signing.public_key == "k.pub");
  CHECK(line->signing.output == "o");
  CHECK(line->signing.verify);
  CHECK(line->signing.json);
  for (const auto limit : license_limits()) {
    CHECK(line->license.limits[static_cast<std::size_t>(limit)] == name_of(limit));
  }
}

TEST_CASE("`-` is a value, for the output it is stdout") {
  const auto line = parse_command_line({"--private-key", "-", "--tenant=acme", "--output", "-"});
  REQUIRE(line);
  CHECK(line->signing.private_key == "-");
  CHECK_FALSE(line->signing.output);
}

TEST_CASE("subcommands have flags of their own") {
  const auto keygen =
      parse_command_line({"keygen", "--private-key=k.pem", "--public-key", "k.pub", "--force", "--json"});
  REQUIRE(keygen);
  CHECK(keygen->mode == Mode::keygen);
  CHECK(keygen->keygen.private_key == "k.pem");
  CHECK(keygen->keygen.public_key == "k.pub");
  CHECK(keygen->keygen.force);
  CHECK(keygen->keygen.json);

  const auto inspect = parse_command_line({"inspect", "YQ==.YQ==", "--public-key=k.pub", "--tenant=acme", "--json"});
  REQUIRE(inspect);
  CHECK(inspect->mode == Mode::inspect);
  CHECK(inspect->inspection.token == "YQ==.YQ==");
  CHECK(inspect->inspection.public_key == "k.pub");
  CHECK(inspect->inspection.tenant == "acme");
  CHECK(inspect->inspection.json);

  const auto revoke = parse_command_line(
      {"revoke", "--sign-command=sign", "--license-id=a", "--license-id", "b", "--sequence=4", "--previous=p"});
  REQUIRE(revoke);
  CHECK(revoke->mode == Mode::revoke);
  CHECK(revoke->signing.sign_command == "sign");
  CHECK(revoke->revocations.license_ids == Words{"a", "b"});
  CHECK(revoke->revocations.sequence == "4");
  CHECK(revoke->revocations.previous == "p");
}

TEST_CASE("help is text, of the program and of a subcommand") {
  for (const auto& words : {Words{"--help"}, Words{"-h"}}) {
    const auto line = parse_command_line(words);
    REQUIRE(line);
    CHECK(line->mode == Mode::print);
    for (const auto* flag : {"--max-jar-retention-count", "--sign-command", "keygen", "inspect", "revoke"}) {
      CHECK_THAT(line->text, Catch::Contains(flag));
    }
  }
  CHECK_THAT(parse_command_line({"revoke", "--help"})->text, Catch::Contains("--sequence"));
}

TEST_CASE("what is wrong is refused by flag and rule, and values are never repeated") {
  const std::string secret = "MC4CAQAwBQYDK2VwBCIEIEzNCJso";
  const std::pair<Words, std::string> rows[] = {
      {{"--tenant=acme"}, "--private-key or --sign-command is missing"},
      {mint_and({"--sign-command=x"}), "--private-key and --sign-command exclude each other"},
      {mint_and({"--verify"}), "--verify needs --public-key"},
      {mint_and({"--format=pem"}), "--format must be token or jwt"},
      {mint_and({"--color"}), "--color is no flag"},
      {mint_and({"--privatekey=" + secret}), "--privatekey is no flag"},
      {mint_and({secret}), "a word that belongs to no flag"},
      {mint_and({"--max-apps-and-more=1"}), "--max-apps-and-more is no flag"},
      {mint_and({"-x"}), "-x is no flag"},
      {mint_and({""}), "An argument is empty"},
      {mint_and({"--label="}), "--label: the value is missing"},
      {mint_and({"--label"}), "--label"},
      {{"--private-key=k", "--tenant", "--expires=2099-01-01"}, "--tenant: the value is missing"},
      {mint_and({"--tenant=" + secret}), "--tenant"},
      {mint_and({"keygen", "--private-key=k"}), "must stand after the subcommand"},
      {{"keygen"}, "--private-key is missing"},
      {{"keygen", "--private-key=k", "--tenant=a"}, "--tenant is no flag"},
      {{"keygen", "inspect", "x"}, ""},
      {{"inspect"}, "token"},
      {{"inspect", "a.b", secret}, "a word that belongs to no flag"},
      {{"inspect", "a.b", "--revocations=r"}, "--revocations needs --public-key"},
      {{"revoke", "--license-id=x"}, "--private-key or --sign-command is missing"},
      {{"revoke", "--private-key=x", "--verify"}, "--verify needs --public-key"},
      {{"mint"}, "a word that belongs to no flag"},
  };
  for (const auto& [words, rule] : rows) {
    CAPTURE(words);
    const auto line = parse_command_line(words);
    REQUIRE_FALSE(line);
    CHECK(line.error().code == ExitCode::usage);
    CHECK_THAT(line.error().message, Catch::Contains(rule));
    CHECK(line.error().message.find(secret) == std::string::npos);
  }
}
