#pragma once
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

/// The coroutine vocabulary of the libraries above: what runs on the one I/O thread of a process.
namespace cameleer::async {

namespace asio = boost::asio;

/// The concrete executor (not any_io_executor: 9 % of a request's cost, measured).
using Executor = asio::io_context::executor_type;

/// A coroutine of the I/O thread.
template <class T = void>
using Task = asio::awaitable<T, Executor>;

/// Completion token of every wait: `co_await x.async_read_some(buffer, use_task)` throws system_error;
/// `co_await x.async_read_some(buffer, as_result)` gives a tuple that starts with the error_code.
inline constexpr asio::use_awaitable_t<Executor> use_task{};
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<Executor>> as_result{};

using SteadyTimer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

/// Suspends for `duration`; returns early when cancelled.
inline Task<> sleep_for(Executor executor, std::chrono::steady_clock::duration duration) {
  SteadyTimer timer(executor, duration);
  co_await timer.async_wait(as_result);
}

}  // namespace cameleer::async
