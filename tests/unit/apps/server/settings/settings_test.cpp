#include "server/settings/settings.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

using namespace cameleer;
using namespace cameleer::server;

namespace {

Expected<Settings> with_flag(const std::string& name, const std::string& value) {
  SettingSources sources;
  sources.flags[name] = value;
  return resolve_settings(sources);
}

std::string write_file(const std::string& text) {
  const auto path = std::filesystem::temp_directory_path() / "cameleer-settings-test.toml";
  std::ofstream(path) << text;
  return path;
}

}  // namespace

TEST_CASE("every default is valid") {
  const auto settings = resolve_settings({});
  REQUIRE(settings.has_value());
  CHECK(settings->tenant_id == "default");
  CHECK(settings->http.port == 8081);
  CHECK(settings->agents.stale_after == std::chrono::seconds(90));
  CHECK(settings->ingest.retention == std::chrono::days(30));
}

TEST_CASE("a wrong value names the setting and its rule") {
  struct Case {
    std::string name, value;
  };
  const auto [name, value] = GENERATE(values<Case>({
      {"cameleer.server.tenant-id", "Upper"},
      {"cameleer.server.tenant-id", "-a"},
      {"cameleer.server.tenant-id", std::string(41, 'a')},
      {"cameleer.server.data-dir", "relative"},
      {"cameleer.server.http.listen", "8081"},
      {"cameleer.server.http.listen", "0.0.0.0:65536"},
      {"cameleer.server.http.listen", ":80"},
      {"cameleer.server.http.base-path", "cameleer"},
      {"cameleer.server.http.base-path", "/a b"},
      {"cameleer.server.http.public-url", "ftp://x"},
      {"cameleer.server.http.public-url", "http://x/path"},
      {"cameleer.server.http.trusted-proxies", "10.0.0.1,,10.0.0.2"},
      {"cameleer.server.http.max-connections", "0"},
      {"cameleer.server.http.max-connections", "12x"},
      {"cameleer.server.clickhouse.url", "tcp://x:9000"},
      {"cameleer.server.security.masterkey", "c2hvcnQ="},
      {"cameleer.server.security.bootstraptoken", "short"},
      {"cameleer.server.agents.stale-after-ms", "-1"},
      {"cameleer.server.ingest.retention-days", "1.5"},
      {"cameleer.server.auth.local.enabled", "yes"},
      {"cameleer.server.oidc.issuer-uri", "id.example"},
      {"cameleer.server.oidc.issuer-uri", "https://id.example/?x"},
      {"cameleer.server.oidc.client-authentication", "none"},
      {"cameleer.server.oidc.scope", "profile"},
      {"cameleer.server.oidc.strict", "yes"},
      {"cameleer.server.oidc.default-roles", "a,,b"},
      {"cameleer.server.oidc.required-claims", "organization_id=1"},
      {"cameleer.server.oidc.required-claims", R"({"organization_id":1})"},
      {"cameleer.server.log.level", "trace"},
  }));
  CAPTURE(name, value);
  const auto settings = with_flag(name, value);
  REQUIRE_FALSE(settings.has_value());
  CHECK(settings.error().code == ErrorCode::bad_configuration);
  CHECK(settings.error().member == name);
  CHECK(settings.error().message.find("must be") != std::string::npos);
}

TEST_CASE("a wrong secret is not repeated in the error") {
  const auto settings = with_flag("cameleer.server.security.bootstraptoken", "hunter2");
  REQUIRE_FALSE(settings.has_value());
  CHECK(settings.error().message.find("hunter2") == std::string::npos);
}

TEST_CASE("flag wins over environment, environment over file, file over default") {
  SettingSources sources;
  const std::string name = "cameleer.server.log.level";
  CHECK(resolve_settings(sources)->log_level == "info");
  sources.file[name] = "warning";
  CHECK(resolve_settings(sources)->log_level == "warning");
  sources.environment[name] = "error";
  CHECK(resolve_settings(sources)->log_level == "error");
  sources.flags[name] = "debug";
  CHECK(resolve_settings(sources)->log_level == "debug");
}

TEST_CASE("the environment is read by name and alias, and a mistyped variable is an error") {
  const char* good[] = {"PATH=/bin", "CAMELEER_TENANT_ID=alias", "CAMELEER_SERVER_HTTP_LISTEN=127.0.0.1:1", nullptr};
  const auto values = read_environment(good);
  REQUIRE(values.has_value());
  CHECK(values->at("cameleer.server.tenant-id") == "alias");
  CHECK(values->at("cameleer.server.http.listen") == "127.0.0.1:1");

  const char* both[] = {"CAMELEER_SERVER_TENANT_ID=full", "CAMELEER_TENANT_ID=alias", nullptr};
  CHECK(read_environment(both)->at("cameleer.server.tenant-id") == "full");
  const char* reversed[] = {"CAMELEER_TENANT_ID=alias", "CAMELEER_SERVER_TENANT_ID=full", nullptr};
  CHECK(read_environment(reversed)->at("cameleer.server.tenant-id") == "full");

  const char* mistyped[] = {"CAMELEER_SERVER_HTTP_LISTN=x", nullptr};
  REQUIRE_FALSE(read_environment(mistyped).has_value());
  CHECK(read_environment(mistyped).error().member == "CAMELEER_SERVER_HTTP_LISTN");
}

TEST_CASE("a TOML file gives texts, numbers, booleans and lists") {
  const auto values = read_settings_file(
      write_file("[cameleer.server]\ntenant-id = \"acme\"\n[cameleer.server.http]\nmax-connections = 7\n"
                 "trusted-proxies = [\"10.0.0.1\", \"10.1.0.0/16\"]\n[cameleer.server.auth]\nlocal.enabled = true\n"));
  REQUIRE(values.has_value());
  CHECK(values->at("cameleer.server.tenant-id") == "acme");
  CHECK(values->at("cameleer.server.http.max-connections") == "7");
  CHECK(values->at("cameleer.server.http.trusted-proxies") == "10.0.0.1,10.1.0.0/16");
  CHECK(values->at("cameleer.server.auth.local.enabled") == "true");
}

TEST_CASE("a file's unknown name, wrong kind and bad syntax are errors with the line") {
  const auto text = GENERATE("[cameleer.server]\ntenant = \"a\"\n", "[cameleer.server]\ntenant-id = 1.5\n",
                             "[cameleer.server]\ntenant-id = \n", "[cameleer.server]\ntenant-id = [1, 2]\n");
  const auto values = read_settings_file(write_file(text));
  REQUIRE_FALSE(values.has_value());
  CHECK(values.error().message.find("line 2") != std::string::npos);
}

TEST_CASE("settings that only make sense together are checked together") {
  CHECK(with_flag("cameleer.server.http.tls.cert", "/x.pem").error().member == "cameleer.server.http.tls.cert");
  CHECK(with_flag("cameleer.server.auth.local.enabled", "false").error().member ==
        "cameleer.server.auth.local.enabled");
  CHECK(with_flag("cameleer.server.postgres.url", "postgresql://h/d").error().member ==
        "cameleer.server.security.masterkey");
}

TEST_CASE("an OpenID provider needs an audience, and only with one may local sign-in be off") {
  SettingSources sources;
  sources.environment = {{"cameleer.server.oidc.issuer-uri", "https://id.example"}};
  CHECK(resolve_settings(sources).error().member == "cameleer.server.oidc.audience");
  sources.environment["cameleer.server.oidc.audience"] = "https://api.example";
  sources.environment["cameleer.server.auth.local.enabled"] = "false";
  sources.environment["cameleer.server.oidc.required-claims"] = R"({"organization_id":"org-1"})";
  const auto settings = resolve_settings(sources);
  REQUIRE(settings.has_value());
  CHECK(settings->oidc.required_claims->at("organization_id") == "org-1");
  CHECK_FALSE(settings->oidc.strict.has_value());
}
