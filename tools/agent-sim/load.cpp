#include "agent-sim/load.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>

#include "agent-sim/agent_session.hpp"
#include "agent-sim/batch.hpp"
#include "agent-sim/delivery.hpp"
#include "agent-sim/ledger.hpp"
#include "agent-sim/pacer.hpp"

namespace cameleer::sim {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

/// One simulated agent.
struct Agent {
  AgentSession session;
  Generator generator;
  std::uint64_t requests = 0;
};

/// What all agents of a run share.
struct Run {
  Run(async::Executor on, const LoadOptions& given, std::optional<LedgerWriter> book)
      : executor(on),
        options(given),
        ledger(std::move(book)),
        pacer(given.rate, Steady::now()),
        ends(given.duration.count() > 0 ? Steady::now() + given.duration : Steady::time_point::max()) {}

  [[nodiscard]] bool over() const {
    return stopping || Steady::now() >= ends || (options.count && taken >= options.count);
  }
  void fail_with(std::string why) {
    if (failure.empty()) failure = std::move(why);
    stopping = true;
  }

  async::Executor executor;
  LoadOptions options;
  std::optional<LedgerWriter> ledger;
  Pacer pacer;
  Steady::time_point ends;
  std::vector<std::unique_ptr<Agent>> agents;
  LoadCounts counts;
  std::uint64_t taken = 0;  ///< executions that senders have begun with
  unsigned working = 0;     ///< coroutines that still send
  bool stopping = false;
  std::string failure;
};

async::Task<bool> register_until_done(Run& run, Agent& agent) {
  RetryDelay delay(run.options.first_backoff, run.options.most_backoff);
  const auto patience = Steady::now() + run.options.give_up_after;
  for (;;) {
    auto answer = co_await agent.session.register_agent();
    if (answer && answer->status == 200) co_return true;
    if (answer && verdict_of(answer->status) != Verdict::retry) {
      run.fail_with(fmt::format("The registration of {} was answered {}: {}", agent.session.identity().id,
                                answer->status, answer->body.substr(0, 300)));
      co_return false;
    }
    ++run.counts.failures[answer ? fmt::format("register {}", answer->status) : "register: no answer"];
    if (run.stopping || Steady::now() > patience) {
      if (!answer) run.fail_with(answer.error().message);
      co_return false;
    }
    co_await async::sleep_for(run.executor, delay.next(answer ? answer->header("Retry-After") : ""));
  }
}

Batch next_batch(Run& run, Agent& agent, std::size_t size) {
  Batch batch;
  batch.key = fmt::format("{}-{}", agent.session.identity().id, agent.generator.made());
  // Executions of a batch lie a few milliseconds apart and have ended when they are sent.
  const auto now = agent.session.now() - 5s;
  for (std::size_t i = 0; i < size; ++i) {
    batch.add(agent.generator, now + std::chrono::milliseconds(i % 1000));
  }
  batch.close(run.options.coding);
  return batch;
}

void settle(Run& run, const Batch& batch, const Delivered& delivered) {
  auto& counts = run.counts;
  counts.retries += delivered.retries;
  counts.rejected += delivered.rejected;
  counts.dropped += delivered.dropped;
  counts.unknown += delivered.unknown.size();
  counts.executions += delivered.acknowledged.size();
  counts.processors += delivered.acknowledged.size() * run.options.workload.processors_per_execution;
  if (!delivered.acknowledged.empty()) {
    ++counts.requests;
    counts.bytes += batch.body.size();
    counts.latencies.add(std::chrono::duration<double, std::micro>(delivered.took).count());
  }
  if (!run.ledger) return;
  Expected<void> written;
  if (!delivered.acknowledged.empty()) written = run.ledger->acknowledged(delivered.acknowledged);
  if (written && !delivered.unknown.empty()) written = run.ledger->unknown(delivered.unknown);
  if (!written) run.fail_with(written.error().message);
}

async::Task<> send_copy(std::shared_ptr<Run> run, Agent* agent, Batch batch) {
  co_await deliver(agent->session, std::move(batch), run->options, run->counts.failures, false);
  --run->working;
}

async::Task<> send_batches(std::shared_ptr<Run> run, Agent* agent) {
  const auto& options = run->options;
  while (!run->over()) {
    auto size = options.batch;
    if (options.count) size = std::min<std::uint64_t>(size, options.count - run->taken);
    run->taken += size;
    const auto turn = run->pacer.take(size, Steady::now());
    if (turn > run->ends) break;
    for (auto now = Steady::now(); now < turn && !run->stopping; now = Steady::now()) {
      co_await async::sleep_for(run->executor, std::min<Steady::duration>(turn - now, 200ms));
    }
    if (run->stopping) break;
    const auto batch = next_batch(*run, *agent, size);
    const auto number = agent->requests++;
    const auto chance = bits_of(options.workload.seed, 1ull << 41, number * 1'000'003 + agent->generator.made());
    const bool twice = static_cast<double>(chance.low >> 11) * 0x1p-53 < options.duplicate_rate;
    const bool at_once = twice && chance.high % 2 == 0;
    run->counts.duplicates += twice ? 1 : 0;
    if (at_once) {
      ++run->working;
      boost::asio::co_spawn(run->executor, send_copy(run, agent, batch), boost::asio::detached);
    }
    const bool cut_short = options.timeout_retry.count() > 0 && number % 10 == 9;
    const auto delivered = co_await deliver(agent->session, batch, options, run->counts.failures, cut_short);
    settle(*run, batch, delivered);
    if (twice && !at_once) co_await deliver(agent->session, batch, options, run->counts.failures, false);
    if (options.reconnect_every && agent->requests % options.reconnect_every == 0) {
      agent->session.reconnect();
      ++run->counts.reconnects;
    }
  }
  --run->working;
}

async::Task<> beat(std::shared_ptr<Run> run, Agent* agent) {
  auto due = Steady::now() + agent->session.heartbeat_interval();
  while (run->working > 0) {
    co_await async::sleep_for(run->executor, 100ms);
    if (Steady::now() < due) continue;
    due = Steady::now() + agent->session.heartbeat_interval();
    const auto token = agent->session.access_token();
    auto answer = co_await agent->session.heartbeat();
    if (answer && answer->status == 200) continue;
    ++run->counts.failures[answer ? fmt::format("heartbeat {}", answer->status) : "heartbeat: no answer"];
    if (answer && (answer->status == 401 || answer->status == 403)) co_await agent->session.renew(token);
  }
}

async::Task<> report(std::shared_ptr<Run> run) {
  LoadReport table(Steady::now());
  fmt::print("{}", LoadReport::head());
  std::fflush(stdout);
  auto due = Steady::now() + 5s;
  while (run->working > 0) {
    co_await async::sleep_for(run->executor, 50ms);
    if (Steady::now() < due) continue;
    due += 5s;
    fmt::print("{}", table.line(run->counts, Steady::now()));
    std::fflush(stdout);
  }
  fmt::print("{}", table.summary(run->counts, Steady::now()));
  std::fflush(stdout);
}

async::Task<> begin(std::shared_ptr<Run> run, Agent* agent) {
  if (!co_await register_until_done(*run, *agent)) {
    --run->working;
    co_return;
  }
  for (unsigned i = 0; i < run->options.connections_per_agent; ++i) {
    ++run->working;
    boost::asio::co_spawn(run->executor, send_batches(run, agent), boost::asio::detached);
  }
  --run->working;
  co_await beat(run, agent);
  // A farewell that fails is no harm: the agent becomes STALE.
  co_await agent->session.deregister();
  agent->session.close();
}

async::Task<> wait_for_signal(std::shared_ptr<Run> run) {
  boost::asio::basic_signal_set<async::Executor> signals(run->executor, SIGINT, SIGTERM);
  signals.async_wait([run](boost::system::error_code error, int) {
    if (!error) run->stopping = true;
  });
  while (run->working > 0) co_await async::sleep_for(run->executor, 50ms);
}

}  // namespace

LoadResult run_load(const LoadOptions& options) {
  boost::asio::io_context io(1);
  std::optional<LedgerWriter> ledger;
  if (!options.ledger.empty()) {
    auto made = LedgerWriter::create(options.ledger,
                                     {options.workload.seed, options.environment, agent_prefix(options.workload.seed)});
    if (!made) return {{}, made.error().message};
    ledger.emplace(std::move(*made));
  }
  std::signal(SIGPIPE, SIG_IGN);
  const auto run = std::make_shared<Run>(io.get_executor(), options, std::move(ledger));
  run->working = options.agents;
  for (unsigned i = 0; i < options.agents; ++i) {
    AgentIdentity identity{agent_id(options.workload.seed, i),
                           std::string(application_name(i)),
                           options.environment,
                           options.api_key,
                           route_names(i),
                           options.clock_skew};
    run->agents.push_back(std::make_unique<Agent>(
        Agent{AgentSession(io.get_executor(), options.server, std::move(identity), options.connections_per_agent),
              Generator(options.workload, i)}));
  }
  for (const auto& agent : run->agents) boost::asio::co_spawn(io, begin(run, agent.get()), boost::asio::detached);
  boost::asio::co_spawn(io, report(run), boost::asio::detached);
  boost::asio::co_spawn(io, wait_for_signal(run), boost::asio::detached);
  io.run();
  if (run->ledger && run->failure.empty()) {
    if (auto ended = run->ledger->end(); !ended) run->failure = ended.error().message;
  }
  return {run->counts, run->failure};
}

void measure_generator(const WorkloadOptions& options, std::size_t batch, std::chrono::milliseconds duration) {
  std::vector<Generator> generators;
  for (unsigned agent = 0; agent < kApplications; ++agent) generators.emplace_back(options, agent);
  const auto start = Steady::now();
  const auto cpu = cpu_time();
  std::uint64_t executions = 0, bytes = 0;
  for (std::size_t turn = 0; Steady::now() - start < duration; ++turn) {
    Batch made;
    for (std::size_t i = 0; i < batch; ++i) {
      made.add(generators[turn % generators.size()],
               instant_of(1'795'000'000'000 + static_cast<std::int64_t>(executions)));
      ++executions;
    }
    made.close(Coding::identity);
    bytes += made.body.size();
  }
  const auto seconds = std::chrono::duration<double>(cpu_time() - cpu).count();
  fmt::print("generated         {:.0f} executions/s, {:.0f} processors/s, {:.0f} MB/s, {} bytes an execution\n",
             static_cast<double>(executions) / seconds,
             static_cast<double>(executions * options.processors_per_execution) / seconds,
             static_cast<double>(bytes) / seconds / 1e6, bytes / std::max<std::uint64_t>(executions, 1));
}

}  // namespace cameleer::sim
