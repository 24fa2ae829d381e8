#pragma once
#include <cameleer/core/instant.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "server/ingest/batch_writer.hpp"

namespace cameleer::server {

/// Which routes one request speaks of, and from when to when. Bounded: further routes wait for another request.
class RouteSightings {
 public:
  struct Span {
    Instant first, last;
  };
  using Route = std::pair<std::string, std::string>;  ///< application, route id
  static constexpr std::size_t max_routes = 1'000;
  struct Before {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return std::pair<std::string_view, std::string_view>(a) < std::pair<std::string_view, std::string_view>(b);
    }
  };
  using Routes = std::map<Route, Span, Before>;

  void note(std::string_view application, std::string_view route_id, Instant from, Instant to);
  [[nodiscard]] const Routes& routes() const { return routes_; }
  [[nodiscard]] bool empty() const { return routes_.empty(); }

 private:
  Routes routes_;
};

/// Decides when the table `route_catalog` is told about a route again: at most once a minute for each route, unless it
/// was seen earlier than known. Bounded; a route that is not remembered is only written more often. I/O thread only.
class RouteCatalog {
 public:
  static constexpr std::chrono::minutes every{1};
  explicit RouteCatalog(std::size_t max_routes = 20'000) : max_routes_(max_routes) {}

  /// What is to be written now, and counts as written from now on.
  RouteSightings take_due(const std::string& environment, const RouteSightings& seen, Instant now);
  /// The rows did not reach the store: they are due again.
  void forget(const std::string& environment, const RouteSightings& taken);

 private:
  struct Entry {
    Instant written, first;
  };

  std::size_t max_routes_;
  std::unordered_map<std::string, Entry> entries_;
};

/// Rows of `route_catalog`, whose aggregates make them harmless to repeat.
TablePart catalog_rows(const std::string& tenant, const std::string& environment, const RouteSightings& sightings);

}  // namespace cameleer::server
