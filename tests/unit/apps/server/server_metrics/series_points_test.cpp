#include "server/server_metrics/series_points.hpp"

#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::server;

namespace {

using Points = std::map<std::int64_t, double>;

StepRow row(std::int64_t step, double value, std::int64_t started = 1, std::string series = "s",
            std::optional<double> least = std::nullopt) {
  return {.instance = "i",
          .series = std::move(series),
          .labels = {{"kind", "x"}},
          .started = instant_of(started),
          .step = step,
          .value = value,
          .least = least.value_or(value)};
}

std::vector<MetricSeries> series_of(SampleValue value, std::vector<StepRow> rows) {
  SeriesPoints points(value, std::chrono::seconds(10));
  for (auto& one : rows) points.add(std::move(one));
  return points.take();
}

Points points_of(SampleValue value, std::vector<StepRow> rows) {
  const auto all = series_of(value, std::move(rows));
  return all.empty() ? Points{} : all.front().points;
}

}  // namespace

TEST_CASE("levels are shown as they are, each step once") {
  CHECK(points_of(SampleValue::avg, {row(0, 5), row(2, 7)}) == Points{{0, 5}, {2, 7}});
  CHECK(points_of(SampleValue::max, {row(-1, 9), row(0, 5)}) == Points{{0, 5}});
}

TEST_CASE("a later life of the process has the last word on a level") {
  CHECK(points_of(SampleValue::latest, {row(0, 5, 1), row(1, 6, 1), row(1, 2, 2)}) == Points{{0, 5}, {1, 2}});
}

TEST_CASE("growth is the difference to the step before, which may lie before the range") {
  CHECK(points_of(SampleValue::delta, {row(-1, 10), row(0, 15), row(1, 15), row(2, 18)}) ==
        Points{{0, 5}, {1, 0}, {2, 3}});
}

TEST_CASE("growth over steps without a sample is spread by a rate, not by a difference") {
  const std::vector<StepRow> rows{row(0, 10), row(4, 50)};
  CHECK(points_of(SampleValue::delta, rows) == Points{{0, 0}, {4, 40}});
  CHECK(points_of(SampleValue::rate, rows) == Points{{0, 0}, {4, 1}});
}

TEST_CASE("the first step of a life grows from its least sample, which is zero when it begins there") {
  CHECK(points_of(SampleValue::delta, {row(0, 8, 1, "s", 0), row(1, 9)}) == Points{{0, 8}, {1, 1}});
}

TEST_CASE("two lives in one step both grew: a restart neither loses nor invents anything") {
  CHECK(points_of(SampleValue::delta, {row(0, 100, 1, "s", 100), row(1, 110, 1), row(1, 4, 2, "s", 0), row(2, 9, 2)}) ==
        Points{{0, 0}, {1, 14}, {2, 5}});
}

TEST_CASE("series are told apart, and those without a point in the range are none") {
  const auto all = series_of(SampleValue::delta, {row(0, 1, 1, "a"), row(-3, 5, 1, "b"), row(0, 7, 1, "c")});
  REQUIRE(all.size() == 2);
  CHECK(all[0].points == Points{{0, 0}});
  CHECK(all[1].labels == std::vector<std::pair<std::string, std::string>>{{"kind", "x"}});
}
