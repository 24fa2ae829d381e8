#include "database_error.hpp"

namespace cameleer::postgres {
namespace {

using enum ErrorCode;

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? std::string() : std::string(text);
}

std::string_view sentence(ErrorCode code) {
  switch (code) {
    case conflict:
      return "The change conflicts with data that is already stored.";
    case unavailable:
      return "The database is not available; try again.";
    case upstream_timeout:
      return "The database did not answer in time.";
    case overloaded:
      return "The database is at its bound; try again later.";
    case invalid_parameter:
      return "A value is not text that the database can hold (NUL byte or invalid UTF-8).";
    default:
      return "The database refused a statement.";
  }
}

DatabaseError failure(ErrorCode code, std::string message, std::string server_text = {}) {
  return {.error = {code, std::move(message)}, .server_text = std::move(server_text)};
}

}  // namespace

// https://www.postgresql.org/docs/15/errcodes-appendix.html
ErrorCode code_of(std::string_view sqlstate) {
  struct Row {
    std::string_view prefix;
    ErrorCode code;
  };
  // The first that fits. 40: the loser of a deadlock or a serialisation check. 25006: we were sent to a standby.
  constexpr Row kRows[] = {
      {"08", unavailable},    {"22021", invalid_parameter}, {"22P05", invalid_parameter}, {"23", conflict},
      {"25006", unavailable}, {"25P03", unavailable},       {"40", unavailable},          {"53100", unavailable},
      {"53", overloaded},     {"55P03", unavailable},       {"57014", upstream_timeout},  {"57P", unavailable},
  };
  for (const auto& row : kRows) {
    if (sqlstate.starts_with(row.prefix)) return row.code;
  }
  return internal;
}

DatabaseError error_of(const PGresult* result) {
  DatabaseError error;
  error.sqlstate = field(result, PG_DIAG_SQLSTATE);
  error.constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
  // Not the detail line, which quotes the row.
  error.server_text = field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (error.server_text.empty()) error.server_text = PQresultErrorMessage(result);
  error.error.code = error.sqlstate.empty() ? unavailable : code_of(error.sqlstate);
  error.error.message = sentence(error.error.code);
  return error;
}

DatabaseError lost_connection(std::string server_text) {
  return failure(unavailable, "The connection to the database was lost; the change may or may not have been made.",
                 std::move(server_text));
}

DatabaseError no_connection(std::string server_text) {
  return failure(unavailable, std::string(sentence(unavailable)), std::move(server_text));
}

DatabaseError past_deadline() {
  return failure(upstream_timeout, std::string(sentence(upstream_timeout)));
}

DatabaseError closed_pool() {
  return failure(unavailable, "The connections to the database are being closed.");
}

DatabaseError full_pool() {
  return failure(overloaded, "Too many statements wait for the database; try again later.");
}

}  // namespace cameleer::postgres
