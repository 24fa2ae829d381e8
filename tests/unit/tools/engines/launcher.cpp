// engines_launcher DATA_DIR ENGINE LIBRARY: starts both engines, prints where they answer, and waits for SIGTERM.
#include <boost/asio/signal_set.hpp>
#include <cameleer/engines/embedded_clickhouse.hpp>
#include <cameleer/engines/embedded_postgres.hpp>
#include <csignal>
#include <cstdio>

namespace {

using namespace cameleer;
using namespace cameleer::engines;

void print(std::string_view line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

async::Task<int> run(async::Executor executor, std::string data, std::string engine, std::string library) {
  const auto log = [](std::string_view name, std::string_view line) { fmt::print(stderr, "{}: {}\n", name, line); };
  EmbeddedPostgres postgres(executor, {.data_dir = data + "/postgres", .fsync = false, .on_log_line = log});
  EmbeddedClickHouse clickhouse(
      executor, {.executable = engine, .library = library, .data_dir = data + "/clickhouse", .on_log_line = log});
  const auto conninfo = co_await postgres.start();
  if (!conninfo) {
    print("failed " + conninfo.error().message);
    co_return 1;
  }
  const auto endpoint = co_await clickhouse.start();
  if (!endpoint) {
    print("failed " + endpoint.error().message);
    co_await postgres.stop();
    co_return 1;
  }
  print(fmt::format("postgres {} {}", postgres.status().pid, *conninfo));
  print(fmt::format("clickhouse {} {} {} {}", clickhouse.status().pid, endpoint->url, endpoint->user,
                    endpoint->password));
  boost::asio::basic_signal_set<async::Executor> signals(executor, SIGTERM, SIGINT);
  co_await signals.async_wait(async::as_result);
  co_await clickhouse.stop();
  co_await postgres.stop();
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  boost::asio::io_context context(1);
  int status = 1;
  boost::asio::co_spawn(context, run(context.get_executor(), argv[1], argv[2], argv[3]),
                        [&](const std::exception_ptr& thrown, int value) {
                          if (thrown) std::rethrow_exception(thrown);
                          status = value;
                        });
  context.run();
  return status;
}
