#pragma once
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>

namespace cameleer::test {

/// Runs `io` until `condition` holds, which is looked at every few milliseconds; the test fails after 20 s.
template <class Condition>
void run_until(boost::asio::io_context& io, const Condition& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    REQUIRE(std::chrono::steady_clock::now() < until);
    io.restart();
    io.run_for(std::chrono::milliseconds(5));
  }
}

}  // namespace cameleer::test
