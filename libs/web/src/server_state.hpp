#pragma once
#include <boost/intrusive/list.hpp>
#include <cameleer/web/server.hpp>
#include <cstdint>
#include <string>

#include "proxies.hpp"

namespace cameleer::web {

/// What the server's sweep needs of a connection, whatever its stream.
class ConnectionBase
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  using Time = std::chrono::steady_clock::time_point;
  virtual ~ConnectionBase() = default;
  virtual void expire() = 0;  ///< its deadline has passed
  virtual void drain() = 0;   ///< the server stops: close when idle, tell streams
  virtual void cut() = 0;     ///< close the socket at once
  Time deadline = Time::max();
};

/// All that the connections of a server share. Owned by the server and by every connection, for a handler may return
/// after the server is gone; then `stopped` says that router, authoriser and observer must not be touched.
struct ServerState {
  ServerState(async::Executor executor_, async::WorkerPool& workers_, const Router& router_, ServerOptions options_);

  async::Executor executor;
  async::WorkerPool& workers;
  const Router& router;
  Authorizer authorizer;
  Observer observer;
  ServerOptions options;
  TrustedProxies proxies;
  std::string base_path;  ///< without a trailing slash; empty: the root

  boost::intrusive::list<ConnectionBase, boost::intrusive::constant_time_size<false>> connections;
  Server::Counters counters;
  std::size_t body_bytes_in_flight = 0;
  bool draining = false;
  bool stopped = false;
  async::SteadyTimer room_made;  ///< cancelled when a connection ends

  /// The time of the last sweep: deadlines need no better one.
  ConnectionBase::Time now;
  std::string date;  ///< value of the Date header, renewed by the sweep

  void tick();
  std::string next_request_id();

 private:
  std::string request_id_prefix_;
  std::uint64_t last_request_ = 0;
};

}  // namespace cameleer::web
