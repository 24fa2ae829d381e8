#pragma once
#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace cameleer::postgres {

/// The prepared statements of one connection by SQL text, least recently used last.
///
/// An entry is usable by name only once the server confirmed it: a statement sent behind an unconfirmed one would fail
/// with "no such prepared statement" where the real error (a syntax error, say) is its own.
class StatementCache {
 public:
  explicit StatementCache(std::size_t bound) : bound_(bound) {}

  enum class State { absent, unconfirmed, confirmed };
  struct Found {
    State state = State::absent;
    std::string name = {};
  };
  Found find(const std::string& sql);
  /// Adds an unconfirmed entry and gives its name.
  std::string add(const std::string& sql);
  void confirm(const std::string& sql);
  void remove(const std::string& sql);
  /// Takes out confirmed entries over the bound, and gives the names to deallocate.
  std::vector<std::string> evict();
  void clear();
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string sql;
    std::string name;
    bool confirmed = false;
  };
  std::size_t bound_;
  std::size_t next_ = 0;
  std::list<Entry> entries_;
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_sql_;
};

}  // namespace cameleer::postgres
