#include "server/telemetry/metrics.hpp"

#include <catch2/catch.hpp>

using namespace cameleer;
using cameleer::server::Metrics;

namespace {

bool has_line(const std::string& text, const std::string& line) {
  return text.find(line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("requests are counted by operation and status class, with their duration") {
  Metrics metrics;
  const web::Route route{.pattern = "/a", .operation_id = "doThis", .access = {"public"}, .handler = {}};
  metrics.count_request(&route, 200, std::chrono::milliseconds(3));
  metrics.count_request(&route, 204, std::chrono::milliseconds(3));
  metrics.count_request(&route, 503, std::chrono::milliseconds(30));
  metrics.count_request(nullptr, 404, std::chrono::milliseconds(1));
  const auto text = metrics.render();
  CHECK(has_line(text, R"(cameleer_http_requests_total{operation="doThis",status="2xx"} 2)"));
  CHECK(has_line(text, R"(cameleer_http_requests_total{operation="doThis",status="5xx"} 1)"));
  CHECK(has_line(text, R"(cameleer_http_requests_total{operation="none",status="4xx"} 1)"));
  CHECK(has_line(text, R"(cameleer_http_request_duration_seconds_bucket{operation="doThis",le="0.005"} 2)"));
}

TEST_CASE("observed figures are asked for at each scrape, and totals never fall") {
  Metrics metrics;
  double now = 5, total = 7;
  metrics.observe("now", "a gauge", {}, [&] { return now; });
  metrics.observe_total("sum_total", "a counter", {{"kind", "x"}}, [&] { return total; });
  CHECK(has_line(metrics.render(), "now 5"));
  now = 3;
  total = 2;
  const auto text = metrics.render();
  CHECK(has_line(text, "now 3"));
  CHECK(has_line(text, R"(sum_total{kind="x"} 7)"));
}

TEST_CASE("a distribution is shown as a histogram that grows, each value once") {
  Metrics metrics;
  cameleer::server::Distribution sizes({1, 10});
  metrics.observe_distribution("size", "a histogram", {{"of", "x"}}, sizes);
  CHECK(has_line(metrics.render(), R"(size_count{of="x"} 0)"));
  for (const double value : {0.5, 1.0, 10.0, 11.0}) sizes.add(value);
  for (int scrape = 0; scrape < 2; ++scrape) {
    const auto text = metrics.render();
    CHECK(has_line(text, R"(size_bucket{of="x",le="1"} 2)"));
    CHECK(has_line(text, R"(size_bucket{of="x",le="10"} 3)"));
    CHECK(has_line(text, R"(size_bucket{of="x",le="+Inf"} 4)"));
    CHECK(has_line(text, R"(size_sum{of="x"} 22.5)"));
  }
}
