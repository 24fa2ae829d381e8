#include "server/audit/audit_parameters.hpp"

#include <algorithm>
#include <charconv>

#include "server/audit/audit_service.hpp"

namespace cameleer::server {
namespace {

constexpr std::int64_t kMaxLimit = 200;
constexpr std::size_t kMaxText = 256;

std::unexpected<Error> wrong(std::string_view name, std::string_view rule) {
  return fail(ErrorCode::invalid_parameter, fmt::format("Parameter `{}` {}.", name, rule), std::string(name));
}

using Read = Expected<void> (*)(std::string_view name, std::string_view value, AuditQuery& into);

template <auto Member>
Expected<void> text(std::string_view name, std::string_view value, AuditQuery& into) {
  if (value.empty() || value.size() > kMaxText || value.find('\0') != std::string_view::npos) {
    return wrong(name, "must have 1 to 256 bytes without NUL");
  }
  into.filter.*Member = std::string(value);
  return {};
}

template <auto Member>
Expected<void> instant(std::string_view name, std::string_view value, AuditQuery& into) {
  into.filter.*Member = parse_instant(value);
  if (into.filter.*Member) return {};
  return wrong(name, "must be an ISO-8601 instant with an offset, such as 2026-11-22T01:02:03.456Z");
}

Expected<void> category(std::string_view name, std::string_view value, AuditQuery& into) {
  for (auto one = AuditCategory::auth; one <= AuditCategory::outbound;
       one = static_cast<AuditCategory>(static_cast<int>(one) + 1)) {
    if (name_of(one) == value) into.filter.category = std::string(value);
  }
  if (into.filter.category) return {};
  return wrong(name, "must be the name of a category, such as AUTH");
}

Expected<void> result(std::string_view name, std::string_view value, AuditQuery& into) {
  if (value != "SUCCESS" && value != "FAILURE") return wrong(name, "must be SUCCESS or FAILURE");
  into.filter.result = std::string(value);
  return {};
}

std::optional<std::int64_t> positive(std::string_view value) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number < 1) return std::nullopt;
  return number;
}

Expected<void> limit(std::string_view name, std::string_view value, AuditQuery& into) {
  const auto number = positive(value);
  if (!number || *number > kMaxLimit) return wrong(name, "must be a whole number from 1 to 200");
  into.limit = static_cast<std::size_t>(*number);
  return {};
}

Expected<void> cursor(std::string_view name, std::string_view value, AuditQuery& into) {
  into.before = positive(value);
  if (into.before) return {};
  return wrong(name, "is not one that this search gave; repeat the search without it");
}

Expected<void> format(std::string_view name, std::string_view value, AuditQuery& into) {
  if (value != "csv" && value != "ndjson") return wrong(name, "must be csv or ndjson");
  into.csv = value == "csv";
  return {};
}

struct Rule {
  std::string_view name;
  bool of_page, of_file;
  Read read;
};
constexpr Rule kRules[] = {
    {"from", true, true, instant<&AuditFilter::from>},
    {"to", true, true, instant<&AuditFilter::to>},
    {"username", true, true, text<&AuditFilter::username>},
    {"category", true, true, category},
    {"action", true, true, text<&AuditFilter::action>},
    {"target", true, true, text<&AuditFilter::target>},
    {"result", true, true, result},
    {"text", true, true, text<&AuditFilter::text>},
    {"limit", true, false, limit},
    {"cursor", true, false, cursor},
    {"format", false, true, format},
};

}  // namespace

Expected<AuditQuery> read_audit_query(const web::Request& request, AuditQueryKind kind) {
  AuditQuery query;
  std::vector<std::string_view> seen;
  for (const auto& [name, value] : request.query) {
    const auto* rule = std::ranges::find_if(kRules, [&](const Rule& one) { return one.name == name; });
    const bool known = rule != std::end(kRules) && (kind == AuditQueryKind::page ? rule->of_page : rule->of_file);
    if (!known) return wrong(name, "is not known here");
    if (std::ranges::find(seen, rule->name) != seen.end()) return wrong(name, "must be given once");
    seen.push_back(rule->name);
    if (auto read = rule->read(rule->name, value, query); !read) return std::unexpected(read.error());
  }
  if (kind == AuditQueryKind::file && std::ranges::find(seen, "format") == seen.end()) {
    return wrong("format", "must be csv or ndjson");
  }
  return query;
}

}  // namespace cameleer::server
