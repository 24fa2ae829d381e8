#include "engine_fixture.hpp"

#include <libpq-fe.h>
#include <signal.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace cameleer::engines::test {

TempDirectory::TempDirectory() : path_("/tmp/cameleer-test-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary directory");
  chmod(path_.c_str(), 0711);
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string library_path() {
  const char* variable = std::getenv("CAMELEER_CHDB_LIBRARY");
  std::string path = variable != nullptr ? variable : CAMELEER_CHDB_LIBRARY;
  if (path.empty() || !std::filesystem::exists(path)) {
    FAIL("CAMELEER_CHDB_LIBRARY must name libchdb.so, not '" << path << "': `./dev setup` installs the engine library");
  }
  return path;
}

bool eventually(const std::function<bool()>& condition, std::chrono::seconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

bool is_alive(pid_t pid) {
  std::ifstream in(fmt::format("/proc/{}/stat", pid));
  std::string line;
  if (!std::getline(in, line)) return false;
  const auto end = line.rfind(')');
  return end != std::string::npos && line.substr(end + 2, 1) != "Z";
}

void Loop::run(async::Task<> task) {
  bool done = false;
  std::exception_ptr thrown;
  boost::asio::co_spawn(context_, std::move(task), [&](const std::exception_ptr& failure) {
    thrown = failure;
    done = true;
  });
  drive([&] { return done; });
  if (thrown) std::rethrow_exception(thrown);
}

bool Loop::run_until(const std::function<bool()>& condition, std::chrono::seconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition() && std::chrono::steady_clock::now() < deadline) {
    context_.restart();
    context_.run_for(std::chrono::milliseconds(10));
  }
  return condition();
}

void Loop::drive(const std::function<bool()>& done) {
  context_.restart();
  while (!done() && context_.run_one() > 0) {
  }
  if (!done()) throw std::runtime_error("the loop ran dry");
}

PostgresOptions postgres_options(const TempDirectory& directory) {
  return {.data_dir = directory.path("postgres"), .fsync = false, .on_log_line = {}};
}

ClickHouseOptions clickhouse_options(const TempDirectory& directory) {
  return {.executable = CAMELEER_ENGINE_PROGRAM,
          .library = library_path(),
          .data_dir = directory.path("clickhouse"),
          .on_log_line = {}};
}

RunningClickHouse::RunningClickHouse(ClickHouseOptions options) : engine_(loop_.executor(), std::move(options)) {
  auto started = loop_.run(engine_.start());
  if (!started) FAIL(started.error().message);
  endpoint_ = *started;
}

RunningClickHouse::~RunningClickHouse() {
  loop_.run(engine_.stop());
}

int RunningClickHouse::port() const {
  return std::stoi(endpoint_.url.substr(endpoint_.url.rfind(':') + 1));
}

std::string RunningClickHouse::headers() const {
  return fmt::format("Host: localhost\r\nX-ClickHouse-User: {}\r\nX-ClickHouse-Key: {}\r\n", endpoint_.user,
                     endpoint_.password);
}

HttpAnswer RunningClickHouse::post(const std::string& target, const std::string& body,
                                   const std::string& more_headers) {
  HttpClient client(port());
  client.send(
      fmt::format("POST {} HTTP/1.1\r\n{}{}Content-Length: {}\r\n\r\n", target, headers(), more_headers, body.size()) +
      body);
  return client.receive();
}

HttpAnswer RunningClickHouse::get(const std::string& target) {
  HttpClient client(port());
  client.send(fmt::format("GET {} HTTP/1.1\r\n{}\r\n", target, headers()));
  return client.receive();
}

std::string RunningClickHouse::ask(const std::string& sql) {
  const HttpAnswer answer = post("/", sql);
  INFO(sql << ": " << answer.body);
  REQUIRE(answer.status == 200);
  return answer.body;
}

std::string ask_postgres(const std::string& conninfo, const std::string& sql) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(conninfo.c_str()), PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) FAIL(PQerrorMessage(connection.get()));
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection.get(), sql.c_str()), PQclear);
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) FAIL(PQerrorMessage(connection.get()));
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

}  // namespace cameleer::engines::test
