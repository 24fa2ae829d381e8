#include "server/ingest/route_catalog.hpp"

#include <algorithm>

#include "server/ingest/row_writer.hpp"

namespace cameleer::server {
namespace {

// Names hold no NUL, so keys of different routes differ.
std::string key_of(const std::string& environment, const RouteSightings::Route& route) {
  std::string key = environment;
  key.append(1, '\0').append(route.first).append(1, '\0').append(route.second);
  return key;
}

std::span<const Column> columns() {
  static const std::vector<Column> columns{{"tenant_id", kName}, {"environment", kName}, {"application", kName},
                                           {"route_id", kName},  {"first_seen", kTime},  {"last_seen", kTime}};
  return columns;
}

}  // namespace

void RouteSightings::note(std::string_view application, std::string_view route_id, Instant from, Instant to) {
  if (application.empty() || route_id.empty()) return;
  const auto found = routes_.find(std::pair(application, route_id));
  if (found != routes_.end()) {
    found->second = {std::min(found->second.first, from), std::max(found->second.last, to)};
  } else if (routes_.size() < max_routes) {
    routes_.emplace(Route{application, route_id}, Span{from, to});
  }
}

RouteSightings RouteCatalog::take_due(const std::string& environment, const RouteSightings& seen, Instant now) {
  RouteSightings due;
  for (const auto& [route, span] : seen.routes()) {
    auto key = key_of(environment, route);
    const auto found = entries_.find(key);
    if (found == entries_.end()) {
      if (entries_.size() >= max_routes_) {
        std::erase_if(entries_, [now](const auto& entry) { return entry.second.written + every <= now; });
      }
      if (entries_.size() < max_routes_) entries_.emplace(std::move(key), Entry{now, span.first});
    } else {
      auto& entry = found->second;
      if (now < entry.written + every && entry.first <= span.first) continue;
      entry = {now, std::min(entry.first, span.first)};
    }
    due.note(route.first, route.second, span.first, span.last);
  }
  return due;
}

void RouteCatalog::forget(const std::string& environment, const RouteSightings& taken) {
  for (const auto& [route, span] : taken.routes()) entries_.erase(key_of(environment, route));
}

TablePart catalog_rows(const std::string& tenant, const std::string& environment, const RouteSightings& sightings) {
  auto block = block_of(columns());
  for (const auto& [route, span] : sightings.routes()) {
    RowWriter(block)
        .text(tenant)
        .text(environment)
        .text(route.first)
        .text(route.second)
        .time(span.first)
        .time(span.last);
  }
  return part_of("route_catalog", columns(), block);
}

}  // namespace cameleer::server
