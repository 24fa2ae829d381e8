#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>
#include <set>

#include "configuration_fixture.hpp"

using namespace cameleer;
using test::ConfigurationFixture;
using test::member;
using Apply = server::ConfigurationService::Apply;
using Which = server::ConfigurationService::Which;

namespace {

const std::string kTap =
    R"({"tapId":"t1","processorId":"to1","language":"simple","expression":"${body}","attribute":"order"})";

}  // namespace

TEST_CASE_METHOD(ConfigurationFixture, "with nothing stored there is version 0 with the defaults") {
  CHECK(in_envelope(Which::latest, "version") == "0");
  CHECK(in_envelope(Which::applied, "engineLevel") == "COMPLETE");
  CHECK(in_envelope(Which::latest, "application") == "orders");
  CHECK(in_envelope(Which::latest, "updatedAt").empty());
  CHECK(in_envelope(Which::applied, "mergedSensitiveKeys").starts_with(R"(["Authorization","Cookie",)"));
}

TEST_CASE_METHOD(ConfigurationFixture,
                 "a live change is the latest and the applied one, a staged one the latest alone") {
  CHECK(write(R"({"engineLevel":"MINIMAL"})", Apply::live) == "1");
  CHECK(in_envelope(Which::applied, "engineLevel") == "MINIMAL");
  CHECK(in_envelope(Which::applied, "version") == "1");
  CHECK(in_envelope(Which::applied, "updatedBy") == "tester");
  CHECK(in_envelope(Which::applied, "updatedAt") == format_instant(now));
  CHECK(pushed == std::vector<std::string>{"default/orders by tester"});
  CHECK(write(R"({"engineLevel":"REGULAR"})", Apply::staged) == "2");
  CHECK(in_envelope(Which::latest, "engineLevel") == "REGULAR");
  CHECK(in_envelope(Which::latest, "version") == "2");
  CHECK(in_envelope(Which::applied, "engineLevel") == "MINIMAL");
  CHECK(in_envelope(Which::applied, "version") == "1");
  CHECK(pushed.size() == 1);
  CHECK(write(R"({"engineLevel":"NONE"})", Apply::live) == "3");
  CHECK(in_envelope(Which::applied, "engineLevel") == "NONE");
  CHECK(in_envelope(Which::applied, "version") == "3");
}

TEST_CASE_METHOD(ConfigurationFixture, "an application has a configuration in one environment and under one name") {
  CHECK(write(R"({"engineLevel":"MINIMAL"})", Apply::live) == "1");
  CHECK(in_envelope(Which::latest, "version", "orders", "staging") == "0");
  CHECK(in_envelope(Which::latest, "version", "Orders") == "0");
  const std::string strange = "a/b?c=%20 \xC3\xA4'\"";
  CHECK(write(R"({"engineLevel":"NONE"})", Apply::live, std::nullopt, strange) == "1");
  CHECK(in_envelope(Which::applied, "engineLevel", strange) == "NONE");
  CHECK(in_envelope(Which::applied, "application", strange) == strange);
}

TEST_CASE_METHOD(ConfigurationFixture, "the tap version grows when the taps change, and only then") {
  CHECK(write(R"({"engineLevel":"NONE"})", Apply::live) == "1");
  CHECK(in_envelope(Which::latest, "tapVersion") == "0");
  CHECK(write(R"({"taps":[)" + kTap + "]}", Apply::staged) == "2");
  CHECK(in_envelope(Which::latest, "tapVersion") == "1");
  CHECK(in_envelope(Which::applied, "tapVersion") == "0");
  CHECK(write(R"({"engineLevel":"NONE","taps":[)" + kTap + "]}", Apply::live) == "3");
  CHECK(in_envelope(Which::applied, "tapVersion") == "1");
  CHECK(write("{}", Apply::live) == "4");
  CHECK(in_envelope(Which::applied, "tapVersion") == "2");
  CHECK(write(R"({"taps":[)" + kTap + "]}", Apply::live, std::nullopt, "billing") == "1");
  CHECK(in_envelope(Which::applied, "tapVersion", "billing") == "1");
}

TEST_CASE_METHOD(ConfigurationFixture, "an expected version keeps a change from undoing another") {
  CHECK(write("{}", Apply::live, 1) == "conflict");
  CHECK(in_envelope(Which::latest, "version") == "0");
  CHECK(write("{}", Apply::live, 0) == "1");
  CHECK(write("{}", Apply::live, 0) == "conflict");
  CHECK(write("{}", Apply::staged, 1) == "2");
  CHECK(write("{}", Apply::staged, 1) == "conflict");
  CHECK(write("{}", Apply::staged, 3) == "conflict");
  CHECK(write("{}", Apply::live) == "3");
}

TEST_CASE_METHOD(ConfigurationFixture, "changes at the same time all succeed, each with a version of its own") {
  constexpr std::size_t kWriters = 8;
  std::set<std::string> versions;
  std::size_t ended = 0;
  for (std::size_t i = 0; i < kWriters; ++i) {
    ApplicationConfig config;
    config.environment = "default";
    config.application = "orders";
    config.updated_by = "writer " + std::to_string(i);
    boost::asio::co_spawn(io, configuration.write(std::move(config), Apply::live, std::nullopt),
                          [&](std::exception_ptr, Expected<server::ConfigurationService::Written> written) {
                            ++ended;
                            if (written) versions.insert(member(web::Response::json(written->envelope), "version"));
                          });
  }
  while (ended < kWriters) {
    io.restart();
    REQUIRE(io.run_one_for(std::chrono::seconds(60)) == 1);
  }
  CHECK(versions == std::set<std::string>{"1", "2", "3", "4", "5", "6", "7", "8"});
  CHECK(in_envelope(Which::latest, "version") == "8");
}

TEST_CASE_METHOD(ConfigurationFixture, "a change that could not be sent is stored and says so") {
  push_failure = Error{ErrorCode::unavailable, "The database did not answer in time."};
  auto config = ApplicationConfig{};
  config.environment = "default";
  config.application = "orders";
  config.updated_by = "tester";
  const auto written = run(configuration.write(std::move(config), Apply::live, std::nullopt));
  REQUIRE_FALSE(written);
  CHECK(written.error().code == ErrorCode::unavailable);
  CHECK(written.error().message.find("stored") != std::string::npos);
  CHECK(in_envelope(Which::applied, "version") == "1");
}

TEST_CASE_METHOD(ConfigurationFixture, "global keys are in every envelope; without a push nothing gets a new version") {
  CHECK(write(R"({"sensitiveKeys":["IBAN","pin"]})", Apply::live) == "1");
  CHECK(run(configuration.write_global_keys({"Pin", "*token"}, false, "tester")).value() == std::nullopt);
  CHECK(run(configuration.global_keys()).value() == std::vector<std::string>{"Pin", "*token"});
  CHECK(
      in_envelope(Which::applied, "mergedSensitiveKeys").ends_with(R"("Proxy-Authorization","Pin","*token","IBAN"])"));
  CHECK(
      in_envelope(Which::latest, "mergedSensitiveKeys", "other").ends_with(R"("Proxy-Authorization","Pin","*token"])"));
  CHECK(in_envelope(Which::applied, "sensitiveKeys") == R"(["IBAN","pin"])");
  CHECK(in_envelope(Which::applied, "version") == "1");
  CHECK(pushed == std::vector<std::string>{"default/orders by tester"});
}

TEST_CASE_METHOD(ConfigurationFixture, "pushed global keys give each running application a newer configuration") {
  for (const auto* application : {"orders", "billing", "gone"}) register_agent(application, application);
  register_agent("orders", "orders", "staging");
  cell("update agents set state = 'DEAD' where application = 'gone'");
  cell("update agents set state = 'STALE' where application = 'billing'");
  CHECK(write(R"({"engineLevel":"MINIMAL"})", Apply::live) == "1");
  CHECK(write(R"({"engineLevel":"NONE"})", Apply::staged) == "2");
  pushed.clear();
  CHECK(run(configuration.write_global_keys({"pin"}, true, "tester")).value() == 6);
  CHECK(pushed ==
        std::vector<std::string>{"default/billing by tester", "default/orders by tester", "staging/orders by tester"});
  CHECK(in_envelope(Which::applied, "version") == "3");
  CHECK(in_envelope(Which::applied, "engineLevel") == "MINIMAL");
  CHECK(in_envelope(Which::latest, "version") == "4");
  CHECK(in_envelope(Which::latest, "engineLevel") == "NONE");
  CHECK(in_envelope(Which::applied, "version", "billing") == "1");
  CHECK(in_envelope(Which::latest, "version", "billing") == "1");
  CHECK(in_envelope(Which::applied, "version", "orders", "staging") == "1");
  CHECK(in_envelope(Which::latest, "version", "gone") == "0");
  CHECK(run(configuration.write_global_keys({}, true, "tester")).value() == 6);
  CHECK(in_envelope(Which::applied, "version", "billing") == "2");
  CHECK(in_envelope(Which::latest, "version", "billing") == "2");
  CHECK(in_envelope(Which::applied, "version") == "5");
  CHECK(in_envelope(Which::latest, "version") == "6");
}
