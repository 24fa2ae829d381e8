#pragma once
#include <string>
#include <string_view>

#include "http_request.hpp"
#include "session_pool.hpp"
#include "sql_text.hpp"

namespace cameleer::engine {

/// What a request asks for: its one statement, and of an INSERT the data that has already been read. The rest of an
/// INSERT's data is still in the body.
struct RequestStatement {
  std::string text;  ///< owns what the views of `statement` point into; do not move once filled
  Statement statement;
  std::string format;  ///< of the output, or of INSERT's data
  std::string_view leading_data;
  SessionSetup setup;
  Parameters parameters;
  std::string query_id;
  bool wait_end_of_query = false;
};

/// Reads the statement as ClickHouse does: `query` of the URL, then a line end, then the body. For INSERT … FORMAT in
/// `query` the whole body is data; for one in the body data begins where its text says. Text is at most 256 KiB.
Result<void> read_statement(RequestReader& request, RequestStatement& into);

}  // namespace cameleer::engine
