#include "statement_cache.hpp"

namespace cameleer::postgres {

StatementCache::Found StatementCache::find(const std::string& sql) {
  auto found = by_sql_.find(sql);
  if (found == by_sql_.end()) return {};
  entries_.splice(entries_.begin(), entries_, found->second);
  return {found->second->confirmed ? State::confirmed : State::unconfirmed, found->second->name};
}

std::string StatementCache::add(const std::string& sql) {
  entries_.push_front({.sql = sql, .name = "s" + std::to_string(++next_)});
  by_sql_.emplace(entries_.front().sql, entries_.begin());
  return entries_.front().name;
}

void StatementCache::confirm(const std::string& sql) {
  auto found = by_sql_.find(sql);
  if (found != by_sql_.end()) found->second->confirmed = true;
}

void StatementCache::remove(const std::string& sql) {
  auto found = by_sql_.find(sql);
  if (found == by_sql_.end()) return;
  auto entry = found->second;
  by_sql_.erase(found);
  entries_.erase(entry);
}

std::vector<std::string> StatementCache::evict() {
  std::vector<std::string> names;
  while (entries_.size() > bound_ && entries_.back().confirmed) {
    names.push_back(entries_.back().name);
    by_sql_.erase(entries_.back().sql);
    entries_.pop_back();
  }
  return names;
}

void StatementCache::clear() {
  by_sql_.clear();
  entries_.clear();
}

}  // namespace cameleer::postgres
