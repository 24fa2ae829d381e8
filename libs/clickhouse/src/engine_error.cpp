#include "engine_error.hpp"

#include <fmt/format.h>

#include <charconv>

namespace cameleer::clickhouse {
namespace {

constexpr std::size_t kMaxText = 2'000;

/// Codes of ClickHouse's ErrorCodes.cpp.
ErrorCode kind_of(int code) {
  switch (code) {
    case 173:  // CANNOT_ALLOCATE_MEMORY
    case 202:  // TOO_MANY_SIMULTANEOUS_QUERIES
    case 203:  // NO_FREE_CONNECTION
    case 241:  // MEMORY_LIMIT_EXCEEDED
    case 252:  // TOO_MANY_PARTS
    case 439:  // CANNOT_SCHEDULE_TASK
      return ErrorCode::overloaded;
    case 159:  // TIMEOUT_EXCEEDED
    case 160:  // TOO_SLOW
    case 209:  // SOCKET_TIMEOUT
      return ErrorCode::upstream_timeout;
    case 210:  // NETWORK_ERROR
    case 236:  // ABORTED
    case 242:  // TABLE_IS_READ_ONLY
    case 279:  // ALL_CONNECTION_TRIES_FAILED
    case 394:  // QUERY_WAS_CANCELLED
      return ErrorCode::unavailable;
    default:
      return ErrorCode::upstream_error;
  }
}

/// `… (UNKNOWN_TABLE) (version …)`: the last name in parentheses of capitals.
std::string_view name_in(std::string_view text) {
  const auto is_name = [](std::string_view word) {
    return word.size() > 2 && std::ranges::all_of(word, [](char c) {
             return (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
           });
  };
  for (auto open = text.rfind('('); open != std::string_view::npos && open > 0; open = text.rfind('(', open - 1)) {
    const auto word = text.substr(open + 1, text.find(')', open) - open - 1);
    if (is_name(word)) return word;
  }
  return {};
}

std::string message_of(ErrorCode kind, int code, std::string_view name) {
  const auto which = name.empty() ? std::to_string(code) : fmt::format("{} {}", code, name);
  switch (kind) {
    case ErrorCode::overloaded:
      return fmt::format("ClickHouse is at its limit (exception {}).", which);
    case ErrorCode::upstream_timeout:
      return fmt::format("ClickHouse did not finish in time (exception {}).", which);
    case ErrorCode::unavailable:
      return fmt::format("ClickHouse is not available (exception {}).", which);
    default:
      return fmt::format("ClickHouse refused the statement (exception {}).", which);
  }
}

EngineError of_exception(int code, std::string_view text) {
  const auto kind = kind_of(code);
  return {Error{kind, message_of(kind, code, name_in(text))}, code, std::string(text.substr(0, kMaxText))};
}

int number_at(std::string_view text) {
  int code = 0;
  std::from_chars(text.data(), text.data() + text.size(), code);
  return code;
}

}  // namespace

std::optional<EngineError> find_exception(std::string_view bytes) {
  constexpr std::string_view kStart = "Code: ";
  for (auto at = bytes.find(kStart); at != std::string_view::npos; at = bytes.find(kStart, at + 1)) {
    const auto text = bytes.substr(at);
    const int code = number_at(text.substr(kStart.size()));
    if (code > 0 && text.substr(0, 32).find("DB::") != std::string_view::npos) return of_exception(code, text);
  }
  return std::nullopt;
}

EngineError engine_error(const web::ClientResponse& answer, std::string_view body) {
  if (const int code = number_at(answer.header("X-ClickHouse-Exception-Code")); code > 0) {
    return of_exception(code, body);
  }
  if (auto found = find_exception(body)) return std::move(*found);
  const auto kind = answer.status == 503 || answer.status == 502 || answer.status == 429 ? ErrorCode::unavailable
                    : answer.status == 504                                               ? ErrorCode::upstream_timeout
                                                                                         : ErrorCode::upstream_error;
  return {Error{kind, fmt::format("ClickHouse answered with HTTP status {}.", answer.status)}, 0,
          std::string(body.substr(0, kMaxText))};
}

EngineError transport_error(Error error) {
  return {std::move(error), 0, {}};
}

}  // namespace cameleer::clickhouse
