#include <cameleer/masking/masker.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;

namespace {

Masker masker(std::vector<std::string> keys) {
  return Masker(std::make_shared<const SensitiveKeys>(keys));
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE("names are secret in any case, and by globs") {
  const auto mask = masker({"authorization", "*token"});
  for (const auto* name : {"Authorization", "myToken", "token"}) CHECK(mask.is_secret(name));
  for (const auto* name : {"", "Content-Type", "authorizations", "tokens"}) CHECK_FALSE(mask.is_secret(name));
}

TEST_CASE("bodies are masked where they parse and left alone where they do not") {
  struct Row {
    const char* what;
    std::string body, masked;
  };
  const std::string same = "\x01same";
  const Row rows[] = {
      {"JSON member", R"({"password":"x","a":1})", R"({"password":"***","a":1})"},
      {"any case", R"({"PassWord":"x"})", R"({"PassWord":"***"})"},
      {"number, literal and null", R"({"pin":12.5e3,"password":null,"secret":true})",
       R"({"pin":"***","password":"***","secret":"***"})"},
      {"object and array", R"({"secret":{"a":[1,{"b":"}"}]},"password":[1,2] ,"c":2})",
       R"({"secret":"***","password":"***" ,"c":2})"},
      {"any depth", R"([[{"a":[{"b":{"password":"x"}}]}]])", R"([[{"a":[{"b":{"password":"***"}}]}]])"},
      {"space stays", "{ \"password\" :\n \"x\" , \"b\" : [ ] }", "{ \"password\" :\n \"***\" , \"b\" : [ ] }"},
      {"escaped name", R"({"pa\u0073sword":"x"})", R"({"pa\u0073sword":"***"})"},
      {"quotes in values", R"({"a":"\"password\":\"x\"","password":"\\\""})",
       R"({"a":"\"password\":\"x\"","password":"***"})"},
      {"a value that reads like a name", R"({"a":"password","b":"x"})", same},
      {"name in an array", R"(["password","x"])", same},
      {"glob", R"({"clientToken":"x"})", R"({"clientToken":"***"})"},
      {"repeated names", R"({"pin":1,"pin":2})", R"({"pin":"***","pin":"***"})"},
      {"empty object", "{}", same},
      {"cut JSON", R"({"password":"x","b)", same},
      {"trailing text", R"({"password":"x"} y)", same},
      {"bad UTF-8", "{\"password\":\"\xFF\"}", same},
      {"scalar JSON", R"("password")", same},
      {"text", "password=x", same},
      {"nothing", "", same},
      {"space", "  \n", same},
      {"NUL bytes", std::string("{\0}", 3), same},
      {"element", "<a><password>x</password><b>y</b></a>", "<a><password>***</password><b>y</b></a>"},
      {"element with a tree", "<a><secret k='1'><b>x</b><secret>y</secret></secret>z</a>",
       "<a><secret k='1'>***</secret>z</a>"},
      {"prefix", "<s:a xmlns:s='u'><s:Password>x</s:Password></s:a>",
       "<s:a xmlns:s='u'><s:Password>***</s:Password></s:a>"},
      {"attributes", "<a password=\"x\" b='password' pin = 'a\"b'/>", "<a password=\"***\" b='password' pin = '***'/>"},
      {"attribute and content", "<password pin='1'>x</password>", "<password pin='***'>***</password>"},
      {"empty elements", "<a><password/><password></password></a>", same},
      {"CDATA", "<a><pin><![CDATA[<b>]]></pin></a>", "<a><pin>***</pin></a>"},
      {"comment", "<a><!-- <pin>1</pin> --></a>", same},
      {"declaration of another encoding", "<?xml version='1.0' encoding='ISO-8859-1'?><a><pin>\xC3\xA4</pin></a>",
       "<?xml version='1.0' encoding='ISO-8859-1'?><a><pin>***</pin></a>"},
      {"byte order mark", "\xEF\xBB\xBF<a><pin>1</pin></a>", "\xEF\xBB\xBF<a><pin>***</pin></a>"},
      {"entities", "<!DOCTYPE a [<!ENTITY e \"<pin>1</pin>\">]><a>&e;<pin>2</pin></a>",
       "<!DOCTYPE a [<!ENTITY e \"<pin>1</pin>\">]><a>&e;<pin>***</pin></a>"},
      {"unclosed XML", "<a><pin>1</pin>", same},
      {"two roots", "<pin>1</pin><pin>2</pin>", same},
      {"HTML", "<html><br><pin>1</pin></html>", same},
  };
  auto mask = masker({"password", "pin", "secret", "*token"});
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const auto masked = mask.masked(row.body);
    CHECK(masked.has_value() == (row.masked != same));
    if (masked) CHECK(*masked == row.masked);
  }
}

TEST_CASE("a secret name in what is no JSON changes nothing, wherever it is cut") {
  auto mask = masker({"pin"});
  const std::string whole = R"([{"a":"x\"","pin" : {"b":[1,"}"]},"c":"\u0041"}])";
  CHECK(mask.masked(whole) == R"([{"a":"x\"","pin" : "***","c":"\u0041"}])");
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(mask.masked(whole.substr(0, size)));
}

TEST_CASE("depth does not keep a secret from being masked") {
  auto mask = masker({"pin"});
  const auto json = mask.masked(repeated("[", 20'000) + R"({"pin":1})" + repeated("]", 20'000));
  REQUIRE(json);
  CHECK(json->find("\"***\"") != std::string::npos);
  const auto xml = mask.masked(repeated("<a>", 20'000) + "<pin>1</pin>" + repeated("</a>", 20'000));
  REQUIRE(xml);
  CHECK(xml->find("<pin>***</pin>") != std::string::npos);
}

TEST_CASE("entities that would grow without end are not expanded") {
  std::string body = "<!DOCTYPE a [<!ENTITY e0 \"x\">";
  for (int i = 1; i < 30; ++i) {
    body += "<!ENTITY e" + std::to_string(i) + " \"" + repeated("&e" + std::to_string(i - 1) + ";", 10) + "\">";
  }
  body += "]><a><pin>1</pin>&e29;</a>";
  const auto masked = masker({"pin"}).masked(body);
  CHECK((!masked || masked->size() < 10'000));
}
