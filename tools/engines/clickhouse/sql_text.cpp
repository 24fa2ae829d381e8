#include "sql_text.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

namespace cameleer::engine {
namespace {

enum class TokenKind { end, word, quoted, literal, punctuation };

struct Token {
  TokenKind kind = TokenKind::end;
  std::size_t begin = 0;
  std::size_t end = 0;
};

bool is_word_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || c == '_' || c == '$' || byte >= 0x80;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Token next() {
    skip_blank();
    Token token{TokenKind::end, at_, at_};
    if (at_ >= text_.size()) return token;
    const char c = text_[at_];
    if (c == '\'') {
      token.kind = TokenKind::literal;
      skip_quoted('\'');
    } else if (c == '"' || c == '`') {
      token.kind = TokenKind::quoted;
      skip_quoted(c);
    } else if ((c == '$' && skip_heredoc()) || skip_typographic_quotes()) {
      token.kind = TokenKind::literal;
    } else if (is_word_character(c)) {
      token.kind = std::isdigit(static_cast<unsigned char>(c)) != 0 ? TokenKind::literal : TokenKind::word;
      while (at_ < text_.size() && is_word_character(text_[at_])) ++at_;
    } else {
      token.kind = TokenKind::punctuation;
      ++at_;
    }
    token.end = at_;
    return token;
  }

 private:
  [[nodiscard]] bool looking_at(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  void skip_to(std::string_view end) {
    const std::size_t found = text_.find(end, at_);
    at_ = found == std::string_view::npos ? text_.size() : found + end.size();
  }

  void skip_blank() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (std::isspace(static_cast<unsigned char>(c)) != 0 || c == '\0') {
        ++at_;
      } else if (looking_at("--") || looking_at("#!") || looking_at("# ")) {
        skip_to("\n");
      } else if (looking_at("/*")) {
        at_ += 2;
        skip_to("*/");
      } else if (looking_at("\xc2\xa0")) {
        at_ += 2;  // no-break space, white space to ClickHouse too
      } else {
        return;
      }
    }
  }

  void skip_quoted(char quote) {
    ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '\\') {
        ++at_;
      } else if (c == quote) {
        if (at_ >= text_.size() || text_[at_] != quote) break;
        ++at_;
      }
    }
    at_ = std::min(at_, text_.size());
  }

  bool skip_heredoc() {
    std::size_t tag_end = at_ + 1;
    while (tag_end < text_.size() && text_[tag_end] != '$' && is_word_character(text_[tag_end])) ++tag_end;
    if (tag_end >= text_.size() || text_[tag_end] != '$') return false;
    const std::string_view tag = text_.substr(at_, tag_end + 1 - at_);
    const std::size_t close = text_.find(tag, tag_end + 1);
    if (close == std::string_view::npos) return false;
    at_ = close + tag.size();
    return true;
  }

  /// ‘…’ and “…”, which ClickHouse reads as a string and as an identifier.
  bool skip_typographic_quotes() {
    for (const auto& [open, close] : {std::pair<std::string_view, std::string_view>{"\xe2\x80\x98", "\xe2\x80\x99"},
                                      {"\xe2\x80\x9c", "\xe2\x80\x9d"}}) {
      if (!looking_at(open)) continue;
      at_ += open.size();
      skip_to(close);
      return true;
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

bool equals(std::string_view word, std::string_view upper) {
  return std::ranges::equal(word, upper, [](char a, char b) {
    return std::toupper(static_cast<unsigned char>(a)) == static_cast<unsigned char>(b);
  });
}

/// Walks the tokens of a text and knows how deep in brackets it is.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text), lexer_(text) { advance(); }

  void advance() {
    const bool was_open = is('(');
    if (was_open || is('[') || is('{')) ++depth_;
    if (is(')') || is(']') || is('}')) --depth_;
    after_bracket_ = was_open;
    if (!at_end()) last_end_ = token_.end;
    token_ = lexer_.next();
  }
  [[nodiscard]] bool at_end() const { return token_.kind == TokenKind::end; }
  [[nodiscard]] bool is(char c) const { return token_.kind == TokenKind::punctuation && text_[token_.begin] == c; }
  [[nodiscard]] bool is(std::string_view upper) const { return is_word() && equals(text(), upper); }
  [[nodiscard]] bool is_word() const { return token_.kind == TokenKind::word; }
  [[nodiscard]] bool at_top() const { return depth_ <= 0; }
  /// `(SELECT`: a query in brackets, not a list of columns.
  [[nodiscard]] bool is_bracketed_select() const { return depth_ == 1 && after_bracket_ && is("SELECT"); }
  [[nodiscard]] std::string_view text() const { return text_.substr(token_.begin, token_.end - token_.begin); }
  [[nodiscard]] std::size_t begin() const { return token_.begin; }
  [[nodiscard]] std::size_t end() const { return token_.end; }
  /// End of the token before this one.
  [[nodiscard]] std::size_t last_end() const { return last_end_; }

 private:
  std::string_view text_;
  Lexer lexer_;
  Token token_;
  std::size_t last_end_ = 0;
  int depth_ = 0;
  bool after_bracket_ = false;
};

using Split = std::expected<Statement, SqlRefusal>;

Split refuse(int code, std::string name, std::string message) {
  return std::unexpected(SqlRefusal{code, std::move(name), std::move(message)});
}

Split refuse_second_statement() {
  return refuse(62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)");
}

Split refuse_misplaced_data() {
  return refuse(48, "NOT_IMPLEMENTED", "INSERT with data must be the statement itself: INSERT INTO table FORMAT name");
}

void skip_target(Cursor& cursor) {
  cursor.advance();  // INSERT
  if (cursor.is("INTO")) cursor.advance();
  if (cursor.is("TABLE")) cursor.advance();
  if (cursor.is("FUNCTION")) cursor.advance();
  // A name, whatever its words are: a table may be called `format`.
  while (!cursor.at_end() && !cursor.is(';')) {
    if (cursor.is('{')) {
      while (!cursor.at_end() && !cursor.is('}')) cursor.advance();
    }
    cursor.advance();
    if (!cursor.is('.')) return;
    cursor.advance();
  }
}

Split split_at_format(std::string_view text, Cursor& cursor) {
  const std::string_view sql = text.substr(0, cursor.begin());
  cursor.advance();
  if (!cursor.is_word()) {
    return refuse(62, "SYNTAX_ERROR", "Syntax error: FORMAT of an INSERT must be followed by a format name");
  }
  // As ClickHouse: blanks, then one line end, then data.
  std::size_t at = cursor.end();
  const auto skip = [&](std::string_view characters) {
    const bool found = at < text.size() && characters.contains(text[at]);
    at += found ? 1 : 0;
    return found;
  };
  if (skip(";")) return refuse(62, "SYNTAX_ERROR", "You have excessive ';' symbol before data for INSERT");
  while (skip(" \t\f")) {
  }
  skip("\r");
  skip("\n");
  return Statement{StatementKind::insert_data, sql, cursor.text(), at, false};
}

/// The engine would stop reading rows at a `;` and drop the rest without a word.
Split split_at_values(std::string_view text, Cursor& cursor) {
  const Statement statement{StatementKind::insert_data, text.substr(0, cursor.begin()), "Values", cursor.end(), false};
  while (!cursor.at_end() && !(cursor.at_top() && cursor.is(';'))) cursor.advance();
  while (cursor.is(';')) cursor.advance();
  if (!cursor.at_end()) return refuse_second_statement();
  return statement;
}

/// A text that begins with INSERT; nullopt when it brings its rows by SELECT or from a file.
std::optional<Split> split_insert(std::string_view text) {
  Cursor cursor(text);
  skip_target(cursor);
  for (; !cursor.at_end(); cursor.advance()) {
    if (cursor.is_bracketed_select()) return std::nullopt;
    if (!cursor.at_top()) continue;
    if (cursor.is(';')) break;
    if (cursor.is("SELECT") || cursor.is("WITH") || cursor.is("WATCH") || cursor.is("INFILE")) return std::nullopt;
    if (cursor.is("FORMAT")) return split_at_format(text, cursor);
    if (cursor.is("VALUES")) return split_at_values(text, cursor);
  }
  const Statement statement{StatementKind::insert_no_format, text.substr(0, cursor.last_end()), {}, 0, false};
  while (cursor.is(';')) cursor.advance();
  if (!cursor.at_end()) return refuse_second_statement();
  return statement;
}

Split split_query(std::string_view text) {
  Cursor cursor(text);
  Statement statement;
  statement.kind = StatementKind::query;
  bool awaits_rows = false;  // an INSERT whose rows have not come yet
  bool inserts = false;
  while (!cursor.at_end() && !(cursor.at_top() && cursor.is(';'))) {
    if (cursor.is_bracketed_select()) awaits_rows = false;
    if (!cursor.at_top() || !cursor.is_word()) {
      cursor.advance();
      continue;
    }
    if (cursor.is("INSERT")) awaits_rows = inserts = true;
    if (cursor.is("SELECT") || cursor.is("INFILE")) awaits_rows = false;
    if (cursor.is("VALUES") && awaits_rows) return refuse_misplaced_data();
    statement.writes_file |= cursor.is("OUTFILE");
    if (!cursor.is("FORMAT")) {
      cursor.advance();
      continue;
    }
    cursor.advance();
    if (!cursor.is_word()) continue;
    const std::string_view format = cursor.text();
    cursor.advance();
    if (cursor.at_end() || cursor.is(';') || cursor.is("SETTINGS")) {
      statement.format = format;
    } else if (inserts) {
      return refuse_misplaced_data();
    }
  }
  statement.sql = text.substr(0, cursor.last_end());
  while (cursor.is(';')) cursor.advance();
  if (!cursor.at_end()) return refuse_second_statement();
  return statement;
}

}  // namespace

Split split_statement(std::string_view text) {
  Cursor cursor(text);
  while (cursor.is(';')) cursor.advance();
  if (cursor.at_end()) return Statement{};
  const std::size_t begin = cursor.begin();
  const std::string_view rest = text.substr(begin);
  if (cursor.is("INSERT")) {
    if (std::optional<Split> insert = split_insert(rest)) {
      if (insert->has_value()) (*insert)->data_offset += begin;
      return *insert;
    }
  }
  return split_query(rest);
}

}  // namespace cameleer::engine
