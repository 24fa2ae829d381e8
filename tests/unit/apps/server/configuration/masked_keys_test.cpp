#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>

#include "configuration_fixture.hpp"

using namespace cameleer;
using namespace std::chrono_literals;
using test::ConfigurationFixture;
using Apply = server::ConfigurationService::Apply;

namespace {

struct Fixture : ConfigurationFixture {
  bool masks(std::string_view name, const std::string& application = "orders") {
    return run(configuration.sensitive_keys_of("default", application)).value()->matches(name);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "default, global and own keys are masked, staged and applied ones alike") {
  CHECK(masks("authorization"));
  CHECK_FALSE(masks("pin"));
  CHECK(write(R"({"sensitiveKeys":["pin"]})", Apply::live) == "1");
  CHECK(write(R"({"sensitiveKeys":["iban"]})", Apply::staged) == "2");
  CHECK(run(configuration.write_global_keys({"*TOKEN"}, false, "tester")));
  for (const auto* name : {"Authorization", "PIN", "Iban", "my-token"}) {
    CAPTURE(name);
    CHECK(masks(name));
  }
  CHECK_FALSE(masks("pin", "billing"));
  CHECK(masks("my-token", "billing"));
}

TEST_CASE_METHOD(Fixture, "a change made here counts at once, one made by another process within five seconds") {
  CHECK_FALSE(masks("pin"));
  CHECK(write(R"({"sensitiveKeys":["pin"]})", Apply::live) == "1");
  CHECK(masks("pin"));
  CHECK_FALSE(masks("iban"));
  CHECK(run(configuration.write_global_keys({"iban"}, false, "tester")));
  CHECK(masks("iban"));
  cell(R"(update server_config set value = '["cvc"]' where key = 'sensitive_keys')");
  now += 5s - 1ms;
  CHECK_FALSE(masks("cvc"));
  now += 1ms;
  CHECK(masks("cvc"));
  CHECK_FALSE(masks("iban"));
}

TEST_CASE_METHOD(Fixture, "what is read while a change is made is not taken for the news") {
  CHECK_FALSE(masks("pin"));
  now += 5s;
  // Asks before the change is stored, so it may answer either way; who asks afterwards gets the change.
  bool answered = false;
  boost::asio::co_spawn(io, configuration.sensitive_keys_of("default", "orders"),
                        [&](std::exception_ptr, const auto&) { answered = true; });
  CHECK(write(R"({"sensitiveKeys":["pin"]})", Apply::live) == "1");
  CHECK(masks("pin"));
  while (!answered) {
    io.restart();
    REQUIRE(io.run_one_for(60s) == 1);
  }
  CHECK(masks("pin"));
}

TEST_CASE_METHOD(Fixture, "while the database is gone what was known last is masked") {
  CHECK(run(configuration.write_global_keys({"*token"}, false, "tester")));
  CHECK(write(R"({"sensitiveKeys":["pin"]})", Apply::live) == "1");
  CHECK(masks("pin"));
  run(pool->close());
  now += 5s;
  CHECK(masks("pin"));
  CHECK(masks("my-token"));
  // Never asked for before: the global keys are known all the same.
  CHECK(masks("my-token", "billing"));
  CHECK(masks("cookie", "billing"));
  CHECK_FALSE(masks("pin", "billing"));
  CHECK(write("{}", Apply::live) == "unavailable");
  CHECK(masks("pin"));
}
