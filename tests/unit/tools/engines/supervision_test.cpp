#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "engine_fixture.hpp"

using namespace cameleer;
using namespace cameleer::engines;
using namespace cameleer::engines::test;

namespace {

/// The launcher program with both engines behind it.
struct Launcher {
  pid_t pid = 0;
  pid_t postgres = 0;
  pid_t clickhouse = 0;
  std::string conninfo;
  std::string output;

  explicit Launcher(const TempDirectory& directory) {
    std::string library = library_path();
    std::array<int, 2> ends{};
    REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    std::string program = CAMELEER_LAUNCHER_PROGRAM;
    std::string data = directory.path();
    std::string engine = CAMELEER_ENGINE_PROGRAM;
    std::array<char*, 5> arguments{program.data(), data.data(), engine.data(), library.data(), nullptr};
    REQUIRE(posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments.data(), environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    std::array<char, 4096> buffer{};
    ssize_t got = 0;
    while (output.find("\nclickhouse ") == std::string::npos &&
           (got = read(ends[0], buffer.data(), buffer.size())) > 0) {
      output.append(buffer.data(), static_cast<std::size_t>(got));
    }
    close(ends[0]);
    std::istringstream lines(output);
    std::string word;
    lines >> word >> postgres;
    std::getline(lines, conninfo);
    lines >> word >> clickhouse;
  }
  ~Launcher() {
    if (pid > 0) end(SIGTERM);
  }
  int end(int signal) {
    kill(pid, signal);
    int status = 0;
    waitpid(std::exchange(pid, 0), &status, 0);
    return status;
  }
};

}  // namespace

TEST_CASE("a launcher that is killed leaves no engine behind, and the next one starts on the same data") {
  const TempDirectory directory;
  pid_t postgres = 0;
  pid_t clickhouse = 0;
  {
    Launcher launcher(directory);
    INFO(launcher.output);
    REQUIRE(launcher.postgres > 0);
    REQUIRE(launcher.clickhouse > 0);
    postgres = launcher.postgres;
    clickhouse = launcher.clickhouse;
    ask_postgres(launcher.conninfo, "CREATE TABLE t AS SELECT 7 AS x");
    launcher.end(SIGKILL);
  }
  // No pause: the next one meets a predecessor that is still going down.
  Launcher next(directory);
  INFO(next.output);
  REQUIRE(next.postgres > 0);
  REQUIRE(next.clickhouse > 0);
  CHECK_FALSE(is_alive(postgres));
  CHECK_FALSE(is_alive(clickhouse));
  CHECK(ask_postgres(next.conninfo, "SELECT x FROM t") == "7");
  const pid_t second_postgres = next.postgres;
  const pid_t second_clickhouse = next.clickhouse;
  CHECK(next.end(SIGTERM) == 0);
  CHECK_FALSE(is_alive(second_postgres));
  CHECK_FALSE(is_alive(second_clickhouse));
}

TEST_CASE("a launcher that is killed while it makes the cluster leaves a directory that starts") {
  const TempDirectory directory;
  {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const std::string library = library_path();
      execl(CAMELEER_LAUNCHER_PROGRAM, "engines_launcher", directory.path().c_str(), CAMELEER_ENGINE_PROGRAM,
            library.c_str(), nullptr);
      _exit(127);
    }
    CHECK(eventually([&] { return std::filesystem::exists(directory.path("postgres/cluster.new/PG_VERSION")); }));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  Launcher next(directory);
  INFO(next.output);
  REQUIRE(next.postgres > 0);
  CHECK(ask_postgres(next.conninfo, "SELECT 1") == "1");
  CHECK(next.end(SIGTERM) == 0);
}

TEST_CASE("a killed ClickHouse engine comes back at the same address with its rows") {
  const TempDirectory directory;
  RunningClickHouse clickhouse(clickhouse_options(directory));
  clickhouse.ask("CREATE TABLE t (x UInt8) ENGINE = MergeTree ORDER BY x");
  clickhouse.ask("INSERT INTO t VALUES (7)");
  for (unsigned round = 1; round <= 2; ++round) {
    const pid_t pid = clickhouse.engine().status().pid;
    REQUIRE(kill(pid, SIGKILL) == 0);
    CHECK(clickhouse.loop().run_until([&] { return clickhouse.engine().status().restarts == round; }));
    CHECK(clickhouse.engine().status().pid != pid);
    CHECK(clickhouse.ask("SELECT x FROM t") == "7\n");
  }
  CHECK(clickhouse.engine().status().state == EngineState::running);
}

TEST_CASE("an engine that cannot come back is seen as restarting with its reason, and a stop ends the tries") {
  const TempDirectory directory;
  auto options = clickhouse_options(directory);
  std::filesystem::copy_file(options.executable, directory.path("engine"));
  options.executable = directory.path("engine");
  RunningClickHouse clickhouse(options);
  std::filesystem::remove(options.executable);
  REQUIRE(kill(clickhouse.engine().status().pid, SIGKILL) == 0);
  CHECK(clickhouse.loop().run_until(
      [&] { return clickhouse.engine().status().last_reason.find("cannot be run") != std::string::npos; }));
  CHECK(clickhouse.engine().status().state == EngineState::restarting);
  clickhouse.loop().run(clickhouse.engine().stop());
  CHECK(clickhouse.engine().status().state == EngineState::stopped);
}

TEST_CASE("a second ClickHouse engine on a directory, and wrong paths, are refused by name") {
  const TempDirectory directory;
  const auto refusal = [](const ClickHouseOptions& options) {
    Loop loop;
    EmbeddedClickHouse engine(loop.executor(), options);
    const auto started = loop.run(engine.start());
    REQUIRE_FALSE(started.has_value());
    return started.error().message;
  };
  SECTION("in use") {
    RunningClickHouse first(clickhouse_options(directory));
    auto options = clickhouse_options(directory);
    options.lock_wait = std::chrono::milliseconds(100);
    CHECK(refusal(options).find(directory.path("clickhouse") + " is in use") != std::string::npos);
    CHECK(first.ask("SELECT 1") == "1\n");
  }
  SECTION("no library") {
    auto options = clickhouse_options(directory);
    options.library = directory.path("libchdb.so");
    CHECK(refusal(options).find(options.library) != std::string::npos);
  }
  SECTION("a library of another kind") {
    auto options = clickhouse_options(directory);
    options.library = directory.path("libchdb.so");
    std::ofstream(options.library) << "not a library";
    CHECK(refusal(options).find("cannot be loaded") != std::string::npos);
  }
  SECTION("a relative directory") {
    auto options = clickhouse_options(directory);
    options.data_dir = "relative";
    CHECK(refusal(options).find("absolute") != std::string::npos);
  }
}
