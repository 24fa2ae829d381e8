#pragma once
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cameleer/async/task.hpp>
#include <cameleer/core/error.hpp>
#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace cameleer::async {

/// Threads for work that would hold up the I/O thread: decoding, compression, hashing, files. Work takes and returns
/// values; it must not touch anything the I/O thread owns. At most `max_waiting` pieces wait or run: one more is
/// refused with `overloaded`. The destructor joins the threads.
class WorkerPool {
 public:
  WorkerPool(unsigned threads, std::size_t max_waiting) : threads_(threads), max_waiting_(max_waiting) {}
  ~WorkerPool() { threads_.join(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Runs `work()` on a thread of the pool and resumes the caller on the I/O thread with its value. An exception of
  /// `work` is rethrown here.
  template <class Work>
  Task<Expected<std::invoke_result_t<Work&>>> run(Work work) {
    using Value = std::invoke_result_t<Work&>;
    if (waiting_ >= max_waiting_) {
      co_return fail(ErrorCode::overloaded, "All workers are busy and their queue is full.");
    }
    ++waiting_;
    Outcome<Value> outcome = co_await run_on_thread<Value>(std::move(work));
    --waiting_;
    if (outcome.thrown) std::rethrow_exception(outcome.thrown);
    co_return std::move(*outcome.value);
  }

  /// Pieces that wait or run now. I/O thread only.
  [[nodiscard]] std::size_t waiting() const { return waiting_; }

 private:
  template <class Value>
  struct Outcome {
    std::optional<Value> value;
    std::exception_ptr thrown;
  };

  template <class Value, class Work>
  Task<Outcome<Value>> run_on_thread(Work work) {
    auto home = co_await asio::this_coro::executor;
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void(Outcome<Value>)>(
        [this, home](auto handler, Work piece) {
          // The guard keeps the I/O loop alive while the piece is with the pool.
          asio::post(threads_, [handler = std::move(handler), piece = std::move(piece),
                                guard = asio::make_work_guard(home)]() mutable {
            Outcome<Value> outcome;
            try {
              outcome.value.emplace(piece());
            } catch (...) {
              outcome.thrown = std::current_exception();
            }
            asio::post(guard.get_executor(), [handler = std::move(handler), outcome = std::move(outcome)]() mutable {
              handler(std::move(outcome));
            });
          });
        },
        use_task, std::move(work));
  }

  asio::thread_pool threads_;
  std::size_t max_waiting_;
  std::size_t waiting_ = 0;
};

}  // namespace cameleer::async
