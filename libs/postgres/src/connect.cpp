#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "connection.hpp"
#include "identifier.hpp"

namespace cameleer::postgres {
namespace {

using namespace std::chrono_literals;

std::string value_of(const PQconninfoOption* options, std::string_view keyword) {
  for (auto option = options; option->keyword != nullptr; ++option) {
    if (keyword == option->keyword) return option->val == nullptr ? std::string() : std::string(option->val);
  }
  return {};
}

/// The host's name when looking it up would block: one name, no address, no unix socket.
std::string name_to_resolve(const std::string& conninfo) {
  std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(conninfo.c_str(), nullptr),
                                                                       &PQconninfoFree);
  if (!options || !value_of(options.get(), "hostaddr").empty()) return {};
  std::string host = value_of(options.get(), "host");
  if (host.find_first_of("/,@") != std::string::npos) return {};
  return host;
}

/// Below the client's deadline, so that in the ordinary case the server gives up first and the connection is kept.
std::chrono::milliseconds on_server(std::chrono::milliseconds statement_time) {
  return std::max<std::chrono::milliseconds>(
      1ms, statement_time - std::clamp<std::chrono::milliseconds>(statement_time / 20, 20ms, 1'000ms));
}

}  // namespace

/// A look-up runs on a thread of Asio's and cannot be interrupted, so it is not waited for directly: what it finds too
/// late is found by nobody.
struct Connection::Resolution {
  using Resolver = asio::ip::basic_resolver<asio::ip::tcp, async::Executor>;
  Resolver resolver;
  async::SteadyTimer until_found;
  std::string hosts = {};      ///< the name once per address, as libpq wants it
  std::string addresses = {};  ///< comma-separated
  std::string failure = "not resolved in time";

  void found(const std::string& host, const boost::system::error_code& error, const Resolver::results_type& entries) {
    failure = error ? error.message() : std::string();
    for (const auto& entry : entries) {
      hosts += (hosts.empty() ? "" : ",") + host;
      addresses += (addresses.empty() ? "" : ",") + entry.endpoint().address().to_string();
    }
    until_found.cancel();
  }
};

async::Task<std::expected<void, std::string>> Connection::connect() {
  reset();
  watchdog_.expires_after(options_.connect_time);
  watchdog_.async_wait([weak = weak_from_this(), life = life_](const boost::system::error_code& error) {
    auto self = weak.lock();
    if (!error && self && self->life_ == life && !self->ready_) self->end("no connection in time");
  });
  std::string failure = co_await start_connecting();
  if (failure.empty()) failure = co_await poll_connection();
  if (failure.empty()) failure = co_await set_up_session();
  watchdog_.cancel();
  if (!failure.empty() || ending_) co_return std::unexpected(ending_ ? reason_ : failure);
  PQenterPipelineMode(connection_);
  pipeline_ = true;
  ready_ = true;
  co_return std::expected<void, std::string>();
}

async::Task<std::string> Connection::start_connecting() {
  std::vector<const char*> names{"dbname", "client_encoding", "fallback_application_name"};
  std::vector<const char*> values{options_.conninfo.c_str(), "UTF8", options_.application_name.c_str()};
  if (std::string host = name_to_resolve(options_.conninfo); !host.empty()) {
    co_await resolve(host);
    if (!resolution_->failure.empty()) co_return fmt::format("cannot resolve {}: {}", host, resolution_->failure);
    names.insert(names.end(), {"host", "hostaddr"});
    values.insert(values.end(), {resolution_->hosts.c_str(), resolution_->addresses.c_str()});
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  if (ending_) co_return reason_;
  connection_ = PQconnectStartParams(names.data(), values.data(), 1);
  if (connection_ == nullptr) throw std::bad_alloc();
  // libpq would print notices on stderr.
  PQsetNoticeReceiver(connection_, [](void*, const PGresult*) {}, nullptr);
  co_return PQstatus(connection_) == CONNECTION_BAD ? words_of_libpq() : std::string();
}

async::Task<> Connection::resolve(std::string host) {
  auto executor = descriptor_.get_executor();
  resolution_ =
      std::make_shared<Resolution>(Resolution::Resolver(executor), async::SteadyTimer(executor, options_.connect_time));
  resolution_->resolver.async_resolve(host, "", [shared = resolution_, host](const auto& error, const auto& entries) {
    shared->found(host, error, entries);
  });
  co_await resolution_->until_found.async_wait(async::as_result);
}

void Connection::stop_resolving() {
  if (resolution_) resolution_->until_found.cancel();
}

async::Task<std::string> Connection::poll_connection() {
  auto step = PGRES_POLLING_WRITING;
  while (step != PGRES_POLLING_OK) {
    if (step == PGRES_POLLING_FAILED) co_return words_of_libpq();
    // libpq may close its socket and open another one, of the same number even, at each step.
    boost::system::error_code error;
    descriptor_.assign(PQsocket(connection_), error);
    if (error) co_return error.message();
    bool waited = co_await wait(step == PGRES_POLLING_READING ? Descriptor::wait_read : Descriptor::wait_write);
    if (descriptor_.is_open()) descriptor_.release();
    if (!waited) co_return "given up";
    step = PQconnectPoll(connection_);
  }
  boost::system::error_code error;
  descriptor_.assign(PQsocket(connection_), error);
  co_return error ? error.message() : std::string();
}

async::Task<std::string> Connection::set_up_session() {
  PQsetnonblocking(connection_, 1);
  std::string path = options_.schema.empty() ? std::string() : quoted(options_.schema);
  std::string statement_time = fmt::format("{}ms", on_server(options_.statement_time).count());
  std::string idle_time = fmt::format("{}ms", options_.transaction_time.count());
  std::array values{statement_time.c_str(), idle_time.c_str(), path.c_str()};
  constexpr const char* kSettings =
      "select set_config('timezone', 'UTC', false), set_config('bytea_output', 'hex', false),"
      " set_config('datestyle', 'ISO', false), set_config('statement_timeout', $1, false),"
      " set_config('idle_in_transaction_session_timeout', $2, false),"
      " case when $3::text <> '' then set_config('search_path', $3, false) end";
  if (PQsendQueryParams(connection_, kSettings, values.size(), nullptr, values.data(), nullptr, nullptr, 0) == 0) {
    co_return words_of_libpq();
  }
  std::string failure;
  while (true) {
    while (PQisBusy(connection_) != 0) {
      if (PQflush(connection_) < 0 || !co_await wait(Descriptor::wait_read)) co_return "given up";
      if (PQconsumeInput(connection_) == 0) co_return words_of_libpq();
    }
    PGresult* result = PQgetResult(connection_);
    if (result == nullptr) co_return failure;
    if (PQresultStatus(result) != PGRES_TUPLES_OK) failure = PQresultErrorMessage(result);
    PQclear(result);
  }
}

async::Task<bool> Connection::wait(asio::posix::descriptor_base::wait_type what) {
  if (ending_) co_return false;
  auto [error] = co_await descriptor_.async_wait(what, async::as_result);
  co_return !error && !ending_;
}

std::string Connection::words_of_libpq() const {
  std::string text = PQerrorMessage(connection_);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "the connection failed" : text;
}

}  // namespace cameleer::postgres
