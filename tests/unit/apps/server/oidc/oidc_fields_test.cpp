#include "server/oidc/oidc_fields.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;
using server::OidcFields;

namespace {

OidcFields fields_in(const std::string& json) {
  return server::fields_of(boost::json::parse(json).as_object());
}

std::string text_of(const OidcFields& fields) {
  return boost::json::serialize(server::json_of(fields));
}

}  // namespace

TEST_CASE("what is stored is read again, but a secret is never written") {
  const std::string json =
      R"({"issuerUri":"https://id.example","audience":"a","clientId":"c","defaultRoles":["VIEWER","x"],)"
      R"("strict":true,"autoSignup":false,"requiredClaims":{"organization_id":"o"},"m2mClientIds":[]})";
  CHECK(boost::json::parse(text_of(fields_in(json))) == boost::json::parse(json));
  CHECK(text_of(fields_in(R"({"clientSecret":"hunter2"})")) == "{}");
}

TEST_CASE("members of wrong types in the store are left out") {
  CHECK(text_of(fields_in(R"({"issuerUri":7,"strict":"yes","defaultRoles":"x","requiredClaims":[],"other":1})")) ==
        "{}");
}

TEST_CASE("the settings win field by field and are told") {
  const auto settings = fields_in(R"({"issuerUri":"https://fixed.example","strict":false})");
  const auto both = server::overlay(settings, fields_in(R"({"issuerUri":"https://x","audience":"a","strict":true})"));
  CHECK(both.issuer_uri == "https://fixed.example");
  CHECK(both.audience == "a");
  CHECK(both.strict == false);
  CHECK(server::fixed_members(settings) == std::vector<std::string_view>{"issuerUri", "strict"});
}

TEST_CASE("a configuration is refused by the member that is wrong") {
  struct Row {
    std::string json, member;
  };
  const auto [json, member] = GENERATE(values<Row>({
      {"{}", ""},
      {R"({"audience":"a"})", ""},
      {R"({"issuerUri":"https://id.example:8443/oidc/","audience":"a"})", ""},
      {R"({"issuerUri":"http://[::1]:3001/oidc","audience":"a"})", ""},
      {R"({"issuerUri":"https://id.example"})", "/audience"},
      {R"({"issuerUri":"https://id.example?x=1","audience":"a"})", "/issuerUri"},
      {R"({"issuerUri":"https://user@id.example","audience":"a"})", "/issuerUri"},
      {R"({"issuerUri":"file:///etc/passwd","audience":"a"})", "/issuerUri"},
      {R"({"issuerUri":"https://id.example\n","audience":"a"})", "/issuerUri"},
      {R"({"issuerUri":"https://id.example","audience":"a","discoveryUrl":"gopher://x"})", "/discoveryUrl"},
      {R"({"clientAuthentication":"none"})", "/clientAuthentication"},
      {R"({"scope":"openidx profile"})", "/scope"},
  }));
  CAPTURE(json);
  const auto problem = server::problem_of(fields_in(json));
  CHECK((problem ? problem->member : "") == member);
}

TEST_CASE("the client is set up as the fields say") {
  const auto client = server::client_settings_of(fields_in(
      R"({"issuerUri":"https://id.example","clientAuthentication":"post","tokenParameters":{"resource":"r"}})"));
  CHECK(client.issuer == "https://id.example");
  CHECK(client.authentication == identity::OidcClientSettings::Authentication::post);
  CHECK(client.scope == "openid profile email");
  CHECK(client.token_parameters == std::vector<std::pair<std::string, std::string>>{{"resource", "r"}});
}
