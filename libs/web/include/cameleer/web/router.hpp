#pragma once
#include <cameleer/web/message.hpp>

namespace cameleer::web {

/// What a caller must be or may do, by name: `public`, `agent`, `view_observability`, … The web library knows no
/// domain; the server's authoriser gives the names their meaning.
struct Access {
  std::string_view name;
};

/// Bounds of one route. Larger bodies are refused while they are read (413), before anything is stored.
struct Limits {
  std::size_t body_bytes = 64 * 1024;           ///< as received
  std::size_t decoded_body_bytes = 256 * 1024;  ///< after Content-Encoding
  std::chrono::milliseconds handling{
      30'000};  ///< a handler over it is answered 503 by the caller's side; streams: no limit
};

using Handler = std::function<async::Task<Response>(Request&)>;

/// One operation, declared as data beside its handler.
struct Route {
  Method method = Method::get;
  std::string pattern;  ///< `/api/v1/agents/{agentId}/heartbeat`; a last segment `{name...}` takes the rest
  std::string operation_id =
      {};         ///< as in schemas/openapi; empty only for routes that are no part of the API (UI files)
  Access access;  ///< empty name: the router does not seal, so the server does not start
  Limits limits = {};
  Handler handler;
};

/// Says who may pass. Runs after the route was found and before the body is read, so that a stranger cannot make the
/// server read anything. May set `request.principal`.
using Authorizer = std::function<async::Task<Expected<void>>(Request&, const Route&)>;

/// Sees every finished request (metrics, access log). `route` is null when none matched.
using Observer = std::function<void(const Request&, const Route* route, int status, std::size_t response_bytes,
                                    std::chrono::nanoseconds elapsed)>;

/// The table of routes. Filled at start, sealed once, then read only.
class Router {
 public:
  void add(Route route);

  /// Checks the whole table: every route has an access name and a handler, no two routes collide, patterns are well
  /// formed. The error names the route.
  Expected<void> seal();

  struct Match {
    const Route* route = nullptr;  ///< null: nothing at this path, or (`allowed` not empty) not with this method
    std::vector<std::pair<std::string, std::string>> parameters;
    std::string allowed;  ///< value of `Allow` when the path exists
  };
  /// Literal segments win over parameters. HEAD finds the GET route.
  [[nodiscard]] Match find(Method method, std::string_view path) const;

  [[nodiscard]] const std::vector<Route>& routes() const;
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

 private:
  struct Node;
  std::vector<Route> routes_;
  std::unique_ptr<Node> root_;
};

}  // namespace cameleer::web
