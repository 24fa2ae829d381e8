#include "server/server_metrics/metric_sampler.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <deque>
#include <optional>

namespace cameleer::server {
namespace {

struct Waiting {
  std::string body;
  std::size_t rows = 0;
};

}  // namespace

struct MetricSampler::State {
  State(async::Executor executor_, SampleInserter inserter_, Clock clock_, Options options_)
      : executor(executor_),
        inserter(std::move(inserter_)),
        clock(std::move(clock_)),
        options(options_),
        begun(options.most_series),
        next(executor_),
        written(executor_) {}

  async::Executor executor;
  SampleInserter inserter;
  Clock clock;
  Options options;
  BegunSeries begun;
  std::optional<Instant> last;
  std::deque<Waiting> waiting;
  std::size_t under_way = 0;  ///< of `waiting`, from the front
  bool writing = false, sampling = false;
  bool stopping = false;             ///< a last sample is due
  bool abandoned = false;            ///< neither figures nor store may be there any more
  async::SteadyTimer next, written;  ///< cancelled at the end, and when nothing is written any more
  Counters counters;

  void keep(std::string body, std::size_t rows);
  void sample(Metrics& metrics, const MetricSource& source);
  void finish(std::size_t count, bool stored);
};

namespace {

using State = MetricSampler::State;

// One insert at a time; what fails waits for the next moment.
async::Task<> write_waiting(std::shared_ptr<State> state) {
  while (!state->waiting.empty() && !state->abandoned) {
    std::string body;
    std::size_t count = 0;
    for (const auto& one : state->waiting) {
      if (count > 0 && body.size() + one.body.size() > state->options.insert_bytes) break;
      body += one.body;
      ++count;
    }
    state->under_way = count;
    const auto outcome = co_await state->inserter(std::move(body));
    state->finish(count, outcome.has_value());
    if (!outcome) break;
  }
  state->writing = false;
  state->written.cancel();
}

void begin_writing(const std::shared_ptr<State>& state) {
  if (state->writing || state->waiting.empty()) return;
  state->writing = true;
  boost::asio::co_spawn(state->executor, write_waiting(state), boost::asio::detached);
}

}  // namespace

void State::keep(std::string body, std::size_t rows) {
  counters.waiting_bytes += body.size();
  waiting.push_back({.body = std::move(body), .rows = rows});
  // What is under way stays where it is: its end counts it.
  while (counters.waiting_bytes > options.waiting_bytes && waiting.size() > under_way + 1) {
    const auto oldest = waiting.begin() + static_cast<std::ptrdiff_t>(under_way);
    counters.waiting_bytes -= oldest->body.size();
    counters.dropped += oldest->rows;
    waiting.erase(oldest);
  }
}

void State::sample(Metrics& metrics, const MetricSource& source) {
  const auto now = clock();
  auto sorted = begun.sort(samples_of(metrics.collect()));
  counters.left_out += sorted.left_out;
  std::string body;
  // What counts for the first time was zero when it was looked at last, or when the process began.
  if (!sorted.zeros.empty()) body = encode_samples(source, last.value_or(source.started), sorted.zeros);
  if (!sorted.taken.empty()) body += encode_samples(source, now, sorted.taken);
  if (!body.empty()) keep(std::move(body), sorted.taken.size() + sorted.zeros.size());
  last = now;
}

void State::finish(std::size_t count, bool stored) {
  under_way = 0;
  if (!stored) {
    ++counters.failed_inserts;
    return;
  }
  for (; count > 0; --count) {
    counters.rows += waiting.front().rows;
    counters.waiting_bytes -= waiting.front().body.size();
    waiting.pop_front();
  }
}

MetricSampler::MetricSampler(async::Executor executor, SampleInserter inserter, Clock clock, Options options)
    : state_(std::make_shared<State>(executor, std::move(inserter), std::move(clock), options)) {}

// What is under way ends by itself: the state lives as long as its coroutines.
MetricSampler::~MetricSampler() {
  state_->abandoned = true;
  state_->next.cancel();
}

async::Task<> MetricSampler::run(Metrics& metrics, MetricSource source) {
  const auto state = state_;
  if (state->options.interval.count() == 0) co_return;
  auto due = std::chrono::steady_clock::now();
  state->sampling = true;
  while (!state->stopping && !state->abandoned) {
    state->sample(metrics, source);
    begin_writing(state);
    due = std::max(due + state->options.interval, std::chrono::steady_clock::now());
    state->next.expires_at(due);
    co_await state->next.async_wait(async::as_result);
  }
  state->sampling = false;
  if (state->abandoned) co_return;
  state->sample(metrics, source);
  begin_writing(state);
  state->written.cancel();
}

async::Task<> MetricSampler::stop() {
  const auto state = state_;
  state->stopping = true;
  state->next.cancel();
  const auto until = std::chrono::steady_clock::now() + state->options.drain;
  while ((state->sampling || state->writing) && std::chrono::steady_clock::now() < until) {
    state->written.expires_at(until);
    co_await state->written.async_wait(async::as_result);
  }
  state->abandoned = true;
}

const MetricSampler::Counters& MetricSampler::counters() const {
  return state_->counters;
}

}  // namespace cameleer::server
