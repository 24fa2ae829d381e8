#include "request_statement.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>

namespace cameleer::engine {
namespace {

constexpr std::size_t max_text = 256 * 1024;

/// Names of the URL that are not settings.
constexpr std::array known_parameters{"query",         "database",          "default_format", "user",
                                      "password",      "query_id",          "quota_key",      "stacktrace",
                                      "buffer_size",   "wait_end_of_query", "session_id",     "session_timeout",
                                      "session_check", "compress",          "decompress",     "role"};

std::string random_id() {
  std::array<unsigned char, 16> bytes{};
  [[maybe_unused]] const auto got = getrandom(bytes.data(), bytes.size(), 0);
  std::string id;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    id += fmt::format("{:02x}", bytes[i]);
    if (i == 3 || i == 5 || i == 7 || i == 9) id.push_back('-');
  }
  return id;
}

bool is_on(std::string_view value) {
  return !value.empty() && value != "0" && value != "false";
}

Result<void> read_options(const RequestReader& request, RequestStatement& into) {
  for (const std::string_view unsupported : {"session_id", "role"}) {
    if (!request.parameter(unsupported).empty()) {
      return std::unexpected(make_error(48, "NOT_IMPLEMENTED", fmt::format("{} is not supported", unsupported)));
    }
  }
  for (const std::string_view framing : {"compress", "decompress"}) {
    if (is_on(request.parameter(framing))) {
      return std::unexpected(make_error(
          48, "NOT_IMPLEMENTED", fmt::format("{}=1 is not supported; Content-Encoding gzip and zstd are", framing)));
    }
  }
  into.setup.database = request.parameter("database");
  if (into.setup.database.empty()) into.setup.database = request.header("X-ClickHouse-Database");
  into.format = request.parameter("default_format");
  if (into.format.empty()) into.format = request.header("X-ClickHouse-Format");
  into.query_id = request.parameter("query_id");
  if (into.query_id.empty()) into.query_id = random_id();
  into.wait_end_of_query = is_on(request.parameter("wait_end_of_query"));
  bool read_only = false;
  for (const auto& [name, value] : request.parameters()) {
    if (name.starts_with("param_")) {
      into.parameters.emplace_back(name.substr(6), value);
    } else if (std::ranges::find(known_parameters, name) == known_parameters.end()) {
      read_only |= name == "readonly" && value != "0";
      into.setup.settings.emplace_back(name, value);
    }
  }
  // As ClickHouse: a GET changes nothing.
  if (request.method() == "GET" && !read_only) {
    std::erase_if(into.setup.settings, [](const auto& setting) { return setting.first == "readonly"; });
    into.setup.settings.emplace_back("readonly", "2");
  }
  return {};
}

EngineError refusal(const SqlRefusal& refused) {
  return make_error(refused.code, refused.name, refused.message);
}

EngineError too_long() {
  return make_error(62, "SYNTAX_ERROR",
                    fmt::format("Max query size exceeded: {} bytes (rows of an INSERT belong "
                                "behind its FORMAT clause)",
                                max_text));
}

bool takes_data(const RequestStatement& found) {
  return found.statement.kind == StatementKind::insert_data ||
         (found.statement.kind == StatementKind::insert_no_format && !found.format.empty());
}

Result<void> split(RequestStatement& into) {
  auto statement = split_statement(into.text);
  if (!statement) return std::unexpected(refusal(statement.error()));
  into.statement = *statement;
  return {};
}

}  // namespace

Result<void> read_statement(RequestReader& request, RequestStatement& into) {
  if (auto options = read_options(request, into); !options) return options;
  if (auto body = request.open_body(); !body) return body;
  into.text = request.parameter("query");
  if (into.text.size() > max_text) return std::unexpected(too_long());
  bool ended = false;
  if (!into.text.empty()) {
    into.text.push_back('\n');
    // A refusal may only mean that the rest is in the body.
    if (auto early = split(into); early && takes_data(into)) {
      ended = true;
    } else {
      into.statement = {};
    }
  }
  const bool data_follows = ended;
  while (!ended && into.text.size() <= max_text) {
    auto bytes = request.read_body();
    if (!bytes) return std::unexpected(bytes.error());
    ended = bytes->empty();
    into.text.append(*bytes);
  }
  if (!data_follows) {
    if (auto whole = split(into); !whole) return whole;
  }
  if (!takes_data(into) && into.text.size() > max_text) return std::unexpected(too_long());
  const std::string_view text = into.text;
  if (into.statement.kind == StatementKind::insert_data) {
    into.leading_data = text.substr(into.statement.data_offset);
    // The line end between `query` and the body is ours.
    if (data_follows && into.leading_data == "\n") into.leading_data = {};
  }
  if (!into.statement.format.empty()) into.format = into.statement.format;
  if (into.format.empty()) into.format = "TabSeparated";
  return {};
}

}  // namespace cameleer::engine
