#include <boost/asio/co_spawn.hpp>
#include <cameleer/async/worker_pool.hpp>
#include <catch2/catch.hpp>
#include <latch>
#include <stdexcept>
#include <thread>

using namespace cameleer;
namespace asio = boost::asio;

namespace {

async::Task<> note_thread(async::WorkerPool& pool, std::thread::id& worker, std::thread::id& resumed) {
  auto result = co_await pool.run([] { return std::this_thread::get_id(); });
  worker = result.value();
  resumed = std::this_thread::get_id();
}

async::Task<> throw_inside(async::WorkerPool& pool, std::string& caught) {
  try {
    co_await pool.run([]() -> int { throw std::runtime_error("broken invariant"); });
  } catch (const std::runtime_error& error) {
    caught = error.what();
  }
}

async::Task<> wait_for(async::WorkerPool& pool, std::latch& gate, std::vector<bool>& accepted) {
  auto result = co_await pool.run([&gate] {
    gate.wait();
    return 1;
  });
  accepted.push_back(result.has_value());
}

async::Task<> open_gate(std::latch& gate) {
  gate.count_down();
  co_return;
}

}  // namespace

TEST_CASE("work runs on another thread and its caller resumes on the I/O thread") {
  asio::io_context io;
  async::WorkerPool pool(2, 8);
  std::thread::id worker, resumed;
  asio::co_spawn(io, note_thread(pool, worker, resumed), asio::detached);
  io.run();
  CHECK(worker != std::this_thread::get_id());
  CHECK(resumed == std::this_thread::get_id());
}

TEST_CASE("an exception of the work is rethrown to its caller") {
  asio::io_context io;
  async::WorkerPool pool(1, 8);
  std::string caught;
  asio::co_spawn(io, throw_inside(pool, caught), asio::detached);
  io.run();
  CHECK(caught == "broken invariant");
}

TEST_CASE("work over the bound is refused as overloaded, and accepted work still completes") {
  asio::io_context io;
  async::WorkerPool pool(1, 2);
  std::latch gate(1);
  std::vector<bool> accepted;
  for (int i = 0; i < 3; ++i) asio::co_spawn(io, wait_for(pool, gate, accepted), asio::detached);
  asio::co_spawn(io, open_gate(gate), asio::detached);
  io.run();
  CHECK(std::count(accepted.begin(), accepted.end(), true) == 2);
  CHECK(std::count(accepted.begin(), accepted.end(), false) == 1);
  CHECK(pool.waiting() == 0);
}
