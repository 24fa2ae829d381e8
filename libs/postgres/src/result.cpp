#include <libpq-fe.h>

#include <cameleer/postgres/pool.hpp>
#include <charconv>
#include <memory>
#include <stdexcept>
#include <utility>

namespace cameleer::postgres {
namespace {

PGresult* of(void* result) {
  return static_cast<PGresult*>(result);
}

void check(void* result, std::size_t row, std::size_t column) {
  if (row >= static_cast<std::size_t>(PQntuples(of(result))) ||
      column >= static_cast<std::size_t>(PQnfields(of(result)))) {
    throw std::out_of_range("no such cell in a database result");
  }
}

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw std::logic_error("a database cell read as an integer is none");
  }
  return value;
}

}  // namespace

Result::Result(void* pg_result) : result_(pg_result) {}
Result::Result(Result&& other) noexcept : result_(std::exchange(other.result_, nullptr)) {}
Result& Result::operator=(Result&& other) noexcept {
  std::swap(result_, other.result_);
  return *this;
}
Result::~Result() {
  PQclear(of(result_));
}

std::size_t Result::rows() const {
  return static_cast<std::size_t>(PQntuples(of(result_)));
}
std::size_t Result::columns() const {
  return static_cast<std::size_t>(PQnfields(of(result_)));
}

std::int64_t Result::affected() const {
  std::string_view text = PQcmdTuples(of(result_));
  return text.empty() ? 0 : number(text);
}

bool Result::is_null(std::size_t row, std::size_t column) const {
  check(result_, row, column);
  return PQgetisnull(of(result_), static_cast<int>(row), static_cast<int>(column)) != 0;
}

std::string_view Result::text(std::size_t row, std::size_t column) const {
  check(result_, row, column);
  int r = static_cast<int>(row);
  int c = static_cast<int>(column);
  return {PQgetvalue(of(result_), r, c), static_cast<std::size_t>(PQgetlength(of(result_), r, c))};
}

std::optional<std::string> Result::optional_text(std::size_t row, std::size_t column) const {
  if (is_null(row, column)) return std::nullopt;
  return std::string(text(row, column));
}

std::int64_t Result::integer(std::size_t row, std::size_t column) const {
  return number(text(row, column));
}

bool Result::boolean(std::size_t row, std::size_t column) const {
  std::string_view value = text(row, column);
  if (value != "t" && value != "f") throw std::logic_error("a database cell read as a boolean is none");
  return value == "t";
}

std::string Result::bytes(std::size_t row, std::size_t column) const {
  std::string_view escaped = text(row, column);
  std::size_t size = 0;
  std::unique_ptr<unsigned char, decltype(&PQfreemem)> plain(
      PQunescapeBytea(reinterpret_cast<const unsigned char*>(escaped.data()), &size), &PQfreemem);
  if (!plain) throw std::bad_alloc();
  return {reinterpret_cast<const char*>(plain.get()), size};
}

std::size_t Result::column(std::string_view name) const {
  for (std::size_t index = 0; index < columns(); ++index) {
    if (name == PQfname(of(result_), static_cast<int>(index))) return index;
  }
  throw std::out_of_range("a database result has no column " + std::string(name));
}

}  // namespace cameleer::postgres
