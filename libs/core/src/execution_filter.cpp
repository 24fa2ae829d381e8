#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cameleer/core/execution.hpp>
#include <cameleer/core/execution_filter.hpp>

namespace cameleer {
namespace {

constexpr std::array kStatuses{status::running, status::completed, status::failed, status::incomplete};

std::unexpected<Error> wrong(std::string_view parameter, std::string rule) {
  return fail(ErrorCode::invalid_parameter, fmt::format("Parameter `{}` {}.", parameter, rule), std::string(parameter));
}

Expected<void> check_text(std::string_view parameter, std::string_view value) {
  if (value.size() > ExecutionFilter::max_text_bytes) {
    return wrong(parameter, fmt::format("is longer than {} bytes", ExecutionFilter::max_text_bytes));
  }
  if (value.find('\0') != std::string_view::npos) return wrong(parameter, "contains a NUL byte");
  return {};
}

Expected<void> check_values(std::string_view parameter, const std::vector<std::string>& values) {
  if (values.size() > ExecutionFilter::max_values) {
    return wrong(parameter, fmt::format("is given more than {} times", ExecutionFilter::max_values));
  }
  for (const auto& value : values) {
    if (value.empty()) return wrong(parameter, "must not be empty");
    if (auto checked = check_text(parameter, value); !checked) return checked;
  }
  return {};
}

Expected<void> check_attributes(const std::vector<std::string>& attributes) {
  for (const auto& attribute : attributes) {
    const auto equals = attribute.find('=');
    if (equals == 0 || equals == std::string::npos) return wrong("attribute", "must be name=value");
  }
  return check_values("attribute", attributes);
}

// As the index of words cuts texts.
bool is_of_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

Expected<void> check_texts(const ExecutionFilter& filter) {
  const std::pair<std::string_view, const std::vector<std::string>*> lists[] = {
      {"application", &filter.applications}, {"routeId", &filter.route_ids}, {"instanceId", &filter.instance_ids}};
  for (const auto& [parameter, values] : lists) {
    if (auto checked = check_values(parameter, *values); !checked) return checked;
  }
  const std::pair<std::string_view, const std::string*> texts[] = {{"correlationId", &filter.correlation_id},
                                                                   {"exchangeId", &filter.exchange_id},
                                                                   {"text", &filter.text},
                                                                   {"textInErrors", &filter.error_words},
                                                                   {"textInHeaders", &filter.header_words}};
  for (const auto& [parameter, value] : texts) {
    if (auto checked = check_text(parameter, *value); !checked) return checked;
  }
  for (const auto& [parameter, value] : texts) {
    if (parameter.starts_with("textIn") && !value->empty() && std::ranges::none_of(*value, is_of_word)) {
      return wrong(parameter, "contains no word");
    }
  }
  return check_attributes(filter.attributes);
}

}  // namespace

Expected<void> settle(ExecutionFilter& filter, Instant now) {
  for (const auto& value : filter.statuses) {
    if (std::find(kStatuses.begin(), kStatuses.end(), value) == kStatuses.end()) {
      return wrong("status", "must be RUNNING, COMPLETED, FAILED or INCOMPLETE");
    }
  }
  if (filter.limit < 1 || filter.limit > ExecutionFilter::max_limit) {
    return wrong("limit", fmt::format("must be from 1 to {}", ExecutionFilter::max_limit));
  }
  if (!filter.to) filter.to = filter.from ? std::max(now, *filter.from + std::chrono::milliseconds(1)) : now;
  if (!filter.from) filter.from = std::max(*filter.to - ExecutionFilter::default_span, Instant{});
  if (*filter.from >= *filter.to) return wrong("from", "must be before `to`");
  if (*filter.to - *filter.from > ExecutionFilter::max_span) {
    return wrong("from", fmt::format("must be at most {} days before `to`", ExecutionFilter::max_span.count()));
  }
  if (filter.duration_min_ms && *filter.duration_min_ms < 0) return wrong("durationMin", "must not be negative");
  if (filter.duration_max_ms && *filter.duration_max_ms < 0) return wrong("durationMax", "must not be negative");
  if (filter.duration_min_ms && filter.duration_max_ms && *filter.duration_min_ms > *filter.duration_max_ms) {
    return wrong("durationMin", "must not be above `durationMax`");
  }
  return check_texts(filter);
}

std::string fingerprint(const ExecutionFilter& filter) {
  std::string line;
  const auto add = [&](std::string_view value) { line += fmt::format("{}:{};", value.size(), value); };
  const auto add_all = [&](std::vector<std::string> values) {
    std::sort(values.begin(), values.end());
    line += fmt::format("[{}]", values.size());
    for (const auto& value : values) add(value);
  };
  const auto add_number = [&](std::optional<std::int64_t> value) { add(value ? std::to_string(*value) : ""); };
  add_all(filter.statuses);
  add_all(filter.applications);
  add_all(filter.route_ids);
  add_all(filter.instance_ids);
  add(filter.correlation_id);
  add(filter.exchange_id);
  add(filter.text);
  add_all(filter.attributes);
  add(filter.error_words);
  add(filter.header_words);
  add_number(filter.duration_min_ms);
  add_number(filter.duration_max_ms);
  add_number(filter.from ? std::optional(milliseconds_of(*filter.from)) : std::nullopt);
  add_number(filter.to ? std::optional(milliseconds_of(*filter.to)) : std::nullopt);
  return line;
}

}  // namespace cameleer
