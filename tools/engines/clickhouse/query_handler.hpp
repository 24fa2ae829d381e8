#pragma once
#include <string>

#include "http_request.hpp"
#include "http_response.hpp"
#include "query_watch.hpp"
#include "session_pool.hpp"

namespace cameleer::engine {

/// Who may ask. An empty password lets everyone in.
struct Credentials {
  std::string user = "default";
  std::string password;
};

/// ClickHouse's HTTP interface over the engine: `/ping`, and statements at `/`. One call a request, from the thread of
/// its connection; the objects behind it are shared and thread-safe.
class QueryHandler {
 public:
  QueryHandler(SessionPool& pool, QueryWatch& watch, Credentials credentials)
      : pool_(pool), watch_(watch), credentials_(std::move(credentials)) {}

  void handle(RequestReader& request, Response& response, int socket);

 private:
  SessionPool& pool_;
  QueryWatch& watch_;
  Credentials credentials_;
};

/// Answers `error` as ClickHouse does: its status, `X-ClickHouse-Exception-Code`, the text and a line end.
void send_error(Response& response, const EngineError& error);

}  // namespace cameleer::engine
