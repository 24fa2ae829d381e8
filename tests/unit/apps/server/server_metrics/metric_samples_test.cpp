#include "server/server_metrics/metric_samples.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "server/telemetry/metrics.hpp"

using namespace cameleer;
using namespace cameleer::server;

namespace {

using Shown = std::vector<std::string>;

Shown lines_of(const std::vector<MetricSample>& samples) {
  Shown lines;
  for (const auto& one : samples) {
    lines.push_back(fmt::format("{} {}{{{}}} {}", one.type, one.name, series_of(one.labels), one.value));
  }
  return lines;
}

MetricSample counter(std::string name, double value) {
  return {.name = std::move(name), .type = "counter", .labels = {}, .value = value};
}

}  // namespace

TEST_CASE("samples are the lines of /metrics, labels sorted by name") {
  Metrics metrics;
  double level = 3;
  Distribution sizes({1, 10});
  sizes.add(4);
  sizes.add(40);
  metrics.observe("level", "", {}, [&] { return level; });
  metrics.observe_total("taken_total", "", {{"reason", "b"}, {"kind", "a"}}, [] { return 7.0; });
  metrics.observe_distribution("size", "", {{"of", "x"}}, sizes);
  const auto lines = lines_of(samples_of(metrics.collect()));
  for (const auto* line :
       {"gauge level{} 3", R"(counter taken_total{kind="a",reason="b"} 7)", R"(histogram size_count{of="x"} 2)",
        R"(histogram size_sum{of="x"} 44)", R"(histogram size_bucket{le="1",of="x"} 0)",
        R"(histogram size_bucket{le="10",of="x"} 1)", R"(histogram size_bucket{le="+Inf",of="x"} 2)"}) {
    INFO(line);
    CHECK(std::ranges::count(lines, line) == 1);
  }
  CHECK(lines.size() == 7);
}

TEST_CASE("what is no number is no sample") {
  Metrics metrics;
  metrics.observe("odd", "", {}, [] { return std::numeric_limits<double>::quiet_NaN(); });
  metrics.observe("far", "", {}, [] { return std::numeric_limits<double>::infinity(); });
  CHECK(samples_of(metrics.collect()).empty());
}

TEST_CASE("the text of a series tells values with quotation marks apart") {
  CHECK(series_of({}).empty());
  CHECK(series_of({{"a", "x"}, {"b", "y"}}) == R"(a="x",b="y")");
  CHECK(series_of({{"a", R"(x",b="y)"}}) == R"(a="x\",b=\"y")");
}

TEST_CASE("a counter is kept from when it counts, and begins with a zero") {
  BegunSeries begun(10);
  CHECK(begun.sort({counter("c", 0)}).taken.empty());
  const auto first = begun.sort({counter("c", 4)});
  CHECK(lines_of(first.taken) == Shown{"counter c{} 4"});
  CHECK(lines_of(first.zeros) == Shown{"counter c{} 0"});
  const auto second = begun.sort({counter("c", 4)});
  CHECK(lines_of(second.taken) == Shown{"counter c{} 4"});
  CHECK(second.zeros.empty());
}

TEST_CASE("a gauge is kept at zero, too, and begins with nothing") {
  BegunSeries begun(10);
  const auto sorted = begun.sort({{.name = "g", .type = "gauge", .labels = {}, .value = 0}});
  CHECK(lines_of(sorted.taken) == Shown{"gauge g{} 0"});
  CHECK(sorted.zeros.empty());
}

TEST_CASE("series beyond the bound are left out and counted, those that are known go on") {
  BegunSeries begun(1);
  CHECK(begun.sort({counter("a", 1), counter("b", 1)}).left_out == 1);
  const auto next = begun.sort({counter("b", 2), counter("a", 2)});
  CHECK(lines_of(next.taken) == Shown{"counter a{} 2"});
  CHECK(next.left_out == 1);
}

TEST_CASE("an encoded block has a row for each sample") {
  const auto body = encode_samples({.tenant = "t", .instance = "i", .started = instant_of(1)}, instant_of(2),
                                   {counter("a", 1), counter("b", 2)});
  REQUIRE(body.size() > 2);
  CHECK(body[0] == static_cast<char>(server_metrics_columns().size()));
  CHECK(body[1] == 2);
}
