#include "session_pool.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cameleer::engine {
namespace {

std::string quoted(std::string_view text, char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') result.push_back('\\');
    result.push_back(c);
  }
  result.push_back(quote);
  return result;
}

bool is_setting_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
}

Result<void> set_up(ChdbConnection& connection, const SessionSetup& setup) {
  if (!setup.database.empty()) {
    const auto used = connection.query("USE " + quoted(setup.database, '`'), "Null");
    if (!used) return std::unexpected(used.error());
  }
  // Last, for after it nothing else can be set.
  const std::pair<std::string, std::string>* read_only = nullptr;
  for (const auto& setting : setup.settings) {
    const auto& [name, value] = setting;
    if (!is_setting_name(name)) {
      return std::unexpected(make_error(115, "UNKNOWN_SETTING", fmt::format("Unknown setting '{}'", name)));
    }
    if (name == "readonly") {
      read_only = &setting;
      continue;
    }
    const auto set = connection.query(fmt::format("SET {} = {}", name, quoted(value, '\'')), "Null");
    if (!set) return std::unexpected(set.error());
  }
  if (read_only != nullptr) {
    const auto set = connection.query(fmt::format("SET readonly = {}", quoted(read_only->second, '\'')), "Null");
    if (!set) return std::unexpected(set.error());
  }
  return {};
}

}  // namespace

std::string SessionSetup::key() const {
  std::string key = fmt::format("{}:{}", database.size(), database);
  for (const auto& [name, value] : settings) {
    key += fmt::format(";{}:{}={}:{}", name.size(), name, value.size(), value);
  }
  return key;
}

std::expected<std::unique_ptr<SessionPool>, std::string> SessionPool::open(const ChdbApi& api,
                                                                           std::vector<std::string> arguments) {
  auto anchor = ChdbConnection::open(api, arguments);
  if (!anchor) return std::unexpected("The engine does not open its directory; the lines before this one say why.");
  return std::unique_ptr<SessionPool>(new SessionPool(api, std::move(arguments), std::move(anchor)));
}

Result<SessionPool::Lease> SessionPool::acquire(const SessionSetup& setup) {
  std::string key = setup.key();
  {
    const std::scoped_lock lock(mutex_);
    const auto found = std::ranges::find(idle_, key, [](const auto& entry) { return entry.first; });
    if (found != idle_.end()) {
      Lease lease(*this, std::move(key), std::move(found->second));
      idle_.erase(found);
      return lease;
    }
  }
  auto connection = ChdbConnection::open(api_, arguments_);
  if (!connection) return std::unexpected(make_error(439, "CANNOT_SCHEDULE_TASK", "The engine gives no connection"));
  if (const auto ready = set_up(*connection, setup); !ready) return std::unexpected(ready.error());
  return Lease(*this, std::move(key), std::move(connection));
}

SessionPool::Lease::~Lease() {
  if (connection_ && keep_) pool_->give_back(std::move(key_), std::move(connection_));
}

void SessionPool::give_back(std::string key, std::unique_ptr<ChdbConnection> connection) {
  std::unique_ptr<ChdbConnection> surplus;  // closed when the lock is gone
  const std::scoped_lock lock(mutex_);
  idle_.emplace_front(std::move(key), std::move(connection));
  if (idle_.size() > max_idle) {
    surplus = std::move(idle_.back().second);
    idle_.pop_back();
  }
}

}  // namespace cameleer::engine
