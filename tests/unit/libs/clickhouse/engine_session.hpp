#pragma once
#include <boost/asio/co_spawn.hpp>
#include <cameleer/clickhouse/client.hpp>
#include <catch2/catch.hpp>

#include "private_engine.hpp"

namespace cameleer::test {

/// Runs `body(executor)` to its end; what it throws, assertions included, is thrown here.
template <class Body>
void run(Body body) {
  boost::asio::io_context context;
  std::exception_ptr thrown;
  bool done = false;
  boost::asio::co_spawn(context.get_executor(), body(context.get_executor()), [&](std::exception_ptr error) {
    thrown = error;
    done = true;
  });
  context.run_for(std::chrono::seconds(180));
  if (thrown) std::rethrow_exception(thrown);
  REQUIRE(done);
}

inline clickhouse::Options options_for(const PrivateEngine& engine, std::string database = {}) {
  clickhouse::Options options;
  options.url = engine.url();
  options.database = std::move(database);
  return options;
}

/// For REQUIRE_WORKED: what the engine said.
template <class T>
std::string words_of(const clickhouse::Outcome<T>& outcome) {
  return outcome ? "" : outcome.error().error.message + " " + outcome.error().text;
}

}  // namespace cameleer::test

#define REQUIRE_WORKED(outcome) REQUIRE(cameleer::test::words_of(outcome) == "")
