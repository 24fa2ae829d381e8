#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cameleer/web/router.hpp>
#include <map>
#include <set>
#include <stdexcept>

#include "target.hpp"

namespace cameleer::web {
namespace {

constexpr std::size_t kMethods = 7;

struct Segment {
  enum class Kind { literal, parameter, rest } kind;
  std::string text;
};

std::unexpected<Error> bad_route(const Route& route, std::string_view why) {
  return fail(ErrorCode::bad_configuration, fmt::format("Route {} {}: {}", name_of(route.method), route.pattern, why));
}

Expected<std::vector<Segment>> parse_pattern(const Route& route) {
  const std::string_view pattern = route.pattern;
  if (!pattern.starts_with('/')) return bad_route(route, "the pattern does not start with a slash.");
  std::vector<Segment> segments;
  std::set<std::string_view> names;
  for (std::size_t at = 1; at <= pattern.size();) {
    const auto end = std::min(pattern.find('/', at), pattern.size());
    auto text = pattern.substr(at, end - at);
    at = end + 1;
    auto kind = Segment::Kind::literal;
    if (text.starts_with('{') && text.ends_with('}')) {
      text = text.substr(1, text.size() - 2);
      kind = text.ends_with("...") ? Segment::Kind::rest : Segment::Kind::parameter;
      if (kind == Segment::Kind::rest) text.remove_suffix(3);
      if (kind == Segment::Kind::rest && at <= pattern.size())
        return bad_route(route, "a rest parameter must be last.");
      if (text.empty()) return bad_route(route, "a parameter has no name.");
      if (!names.insert(text).second) return bad_route(route, "two parameters have the same name.");
    }
    if (text.find_first_of("{}%?#") != text.npos) return bad_route(route, "the pattern is not well formed.");
    if (text.empty() && pattern != "/") return bad_route(route, "the pattern has an empty segment.");
    segments.push_back({kind, std::string(text)});
  }
  return segments;
}

}  // namespace

struct Router::Node {
  struct Entry {
    const Route* route = nullptr;
    std::vector<std::string> names;
  };
  using Entries = std::array<Entry, kMethods>;

  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  Entries here;
  Entries rest;
  std::string allowed_here;  ///< empty: no route ends here
  std::string allowed_rest;

  /// What a path led to, and the encoded values on the way.
  struct Found {
    const Entries* entries = nullptr;
    const std::string* allowed = nullptr;
    std::vector<std::string_view> values;
  };

  /// `path` starts behind the slash of its first segment; no value: the path ended before.
  bool find(std::optional<std::string_view> path, Found& found) const {
    if (!path) {
      if (allowed_here.empty()) return false;
      found.entries = &here;
      found.allowed = &allowed_here;
      return true;
    }
    const auto slash = path->find('/');
    const auto segment = path->substr(0, slash);
    const auto next = slash == path->npos ? std::nullopt : std::optional(path->substr(slash + 1));
    const auto child =
        segment.find('%') == segment.npos ? literals.find(segment) : literals.find(decode_checked(segment));
    if (child != literals.end() && child->second->find(next, found)) return true;
    if (parameter && !segment.empty()) {
      found.values.push_back(segment);
      if (parameter->find(next, found)) return true;
      found.values.pop_back();
    }
    if (allowed_rest.empty()) return false;
    found.values.push_back(*path);
    found.entries = &rest;
    found.allowed = &allowed_rest;
    return true;
  }

  void seal() {
    allowed_here = allowed(here);
    allowed_rest = allowed(rest);
    for (auto& [text, child] : literals) child->seal();
    if (parameter) parameter->seal();
  }

  static std::string allowed(const Entries& entries) {
    std::string list;
    for (std::size_t index = 0; index < kMethods; ++index) {
      const auto method = static_cast<Method>(index);
      const bool head = method == Method::head && entries[static_cast<std::size_t>(Method::get)].route != nullptr;
      if (entries[index].route == nullptr && !head) continue;
      if (!list.empty()) list += ", ";
      list += name_of(method);
    }
    if (!list.empty() && entries[static_cast<std::size_t>(Method::options)].route == nullptr) list += ", OPTIONS";
    return list;
  }
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

const std::vector<Route>& Router::routes() const {
  return routes_;
}

void Router::add(Route route) {
  if (!root_->allowed_here.empty() || !root_->literals.empty())
    throw std::logic_error("a route was added to a sealed router");
  routes_.push_back(std::move(route));
}

Expected<void> Router::seal() {
  root_ = std::make_unique<Node>();
  std::set<std::string_view> operations;
  for (const auto& route : routes_) {
    if (route.access.name.empty()) return bad_route(route, "it does not say who may call it.");
    if (!route.handler) return bad_route(route, "it has no handler.");
    if (!route.operation_id.empty() && !operations.insert(route.operation_id).second) {
      return bad_route(route, "another route has the same operation id.");
    }
    auto segments = parse_pattern(route);
    if (!segments) return std::unexpected(segments.error());
    Node* node = root_.get();
    Node::Entries* entries = nullptr;
    std::vector<std::string> names;
    for (auto& segment : *segments) {
      if (segment.kind != Segment::Kind::literal) names.push_back(segment.text);
      if (segment.kind == Segment::Kind::rest) {
        entries = &node->rest;
        break;
      }
      auto& child = segment.kind == Segment::Kind::literal ? node->literals[segment.text] : node->parameter;
      if (!child) child = std::make_unique<Node>();
      node = child.get();
    }
    if (entries == nullptr) entries = &node->here;
    auto& entry = (*entries)[static_cast<std::size_t>(route.method)];
    if (entry.route != nullptr) return bad_route(route, fmt::format("it collides with {}.", entry.route->pattern));
    entry = {&route, std::move(names)};
  }
  root_->seal();
  return {};
}

Router::Match Router::find(Method method, std::string_view path) const {
  Node::Found found;
  Match match;
  if (!path.starts_with('/') || !root_->find(path.substr(1), found)) return match;
  const auto* entry = &(*found.entries)[static_cast<std::size_t>(method)];
  if (entry->route == nullptr && method == Method::head)
    entry = &(*found.entries)[static_cast<std::size_t>(Method::get)];
  if (entry->route == nullptr) {
    match.allowed = *found.allowed;
    return match;
  }
  match.route = entry->route;
  match.parameters.reserve(found.values.size());
  for (std::size_t index = 0; index < found.values.size(); ++index) {
    match.parameters.emplace_back(entry->names[index], decode_checked(found.values[index]));
  }
  return match;
}

}  // namespace cameleer::web
