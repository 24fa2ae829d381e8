#pragma once
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

/// Where a statement ends and its data starts. libchdb runs whatever follows a blank line of inline data as SQL, so
/// this program never hands it text that holds data: INSERTs are cut at their FORMAT or VALUES clause first.
namespace cameleer::engine {

enum class StatementKind {
  nothing,          ///< only white space and comments
  query,            ///< everything that carries no data
  insert_data,      ///< INSERT … FORMAT x or INSERT … VALUES: data follows at `data_offset`
  insert_no_format  ///< INSERT whose text ends after the table: the format must come from elsewhere
};

/// Views point into the text that was split.
struct Statement {
  StatementKind kind = StatementKind::nothing;
  std::string_view sql;         ///< what the engine gets; no trailing `;`, an INSERT without FORMAT/VALUES
  std::string_view format;      ///< of INSERT's data, or of the output when the text has a FORMAT clause
  std::size_t data_offset = 0;  ///< insert_data: first byte of the data in the text
  bool writes_file = false;     ///< INTO OUTFILE
};

/// A statement that is refused before the engine sees it: ClickHouse's code and name.
struct SqlRefusal {
  int code;
  std::string name;
  std::string message;
};

/// Splits a text that must hold at most one statement. Words, strings ('…' with \ and ''), quoted identifiers, heredocs
/// and comments are told apart as ClickHouse's lexer does; data after FORMAT or VALUES is not looked at.
/// Refused: a second statement (62), `;` between a format name and its data (62), an INSERT with data that does not
/// stand at the beginning of the text (48).
std::expected<Statement, SqlRefusal> split_statement(std::string_view text);

}  // namespace cameleer::engine
