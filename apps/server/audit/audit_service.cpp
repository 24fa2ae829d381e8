#include "server/audit/audit_service.hpp"

#include <boost/json/serialize.hpp>

#include "server/auth/principal.hpp"

namespace cameleer::server {
namespace {

constexpr std::size_t kMaxDetail = 64 * 1024;
constexpr std::size_t kMaxKeptMember = 1024;
constexpr std::size_t kMaxText = 1024;
constexpr std::size_t kMaxCounted = 10'000;
constexpr const char* kInsert =
    "insert into audit_log (timestamp, username, user_id, action, category, target, result, detail, remote_address, "
    "request_id) values ($1::timestamptz, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10)";

/// Length of the UTF-8 sequence at the start of `text`; 0: there is none.
std::size_t sequence_at(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                             : (first & 0xF0) == 0xE0         ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool surrogate = first == 0xED && byte(1) > 0x9F;
  const bool too_high = first == 0xF4 && byte(1) > 0x8F;
  return overlong || surrogate || too_high ? 0 : length;
}

/// As PostgreSQL can hold it.
std::string storable(std::string_view text, std::size_t longest = std::string_view::npos) {
  std::string result;
  while (!text.empty()) {
    const auto length = text.front() == '\0' ? 0 : sequence_at(text);
    if (result.size() + std::max<std::size_t>(length, 1) > longest) break;
    if (length == 0)
      result += '?';
    else
      result += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

boost::json::value storable(const boost::json::value& value) {
  if (value.is_string()) return boost::json::string(storable(std::string_view(value.as_string())));
  if (value.is_array()) {
    boost::json::array array;
    for (const auto& element : value.as_array()) array.push_back(storable(element));
    return array;
  }
  if (value.is_object()) {
    boost::json::object object;
    for (const auto& [key, member] : value.as_object()) object[storable(std::string_view(key))] = storable(member);
    return object;
  }
  return value;
}

std::string detail_text(const boost::json::object& detail) {
  auto object = storable(detail).as_object();
  auto text = boost::json::serialize(object);
  if (text.size() <= kMaxDetail) return text;
  for (auto& member : object) {
    const auto size = boost::json::serialize(member.value()).size();
    if (size > kMaxKeptMember) member.value() = boost::json::object{{"omittedBytes", size}};
  }
  text = boost::json::serialize(object);
  if (text.size() <= kMaxDetail) return text;
  return boost::json::serialize(boost::json::object{{"omittedBytes", text.size()}});
}

postgres::Parameter optional(const std::string& text) {
  return text.empty() ? postgres::Parameter(std::nullopt) : postgres::Parameter(storable(text, kMaxText));
}

postgres::Parameters parameters_of(const AuditEntry& entry, Instant now) {
  return {format_instant(now),
          storable(entry.actor.username, kMaxText),
          optional(entry.actor.user_id),
          entry.action,
          name_of(entry.category),
          storable(entry.target, kMaxText),
          name_of(entry.result),
          detail_text(entry.detail),
          optional(entry.actor.remote_address),
          optional(entry.actor.request_id)};
}

}  // namespace

std::string_view name_of(AuditCategory category) {
  constexpr std::string_view kNames[] = {"AUTH", "USER_MGMT",  "RBAC",  "CONFIG",   "LICENSE", "ENVIRONMENT",
                                         "APP",  "DEPLOYMENT", "AGENT", "ALERTING", "OUTBOUND"};
  return kNames[static_cast<std::size_t>(category)];
}

std::string_view name_of(AuditResult result) {
  return result == AuditResult::success ? "SUCCESS" : "FAILURE";
}

AuditActor actor_of(const web::Request& request) {
  AuditActor actor{.remote_address = request.remote_address, .request_id = request.request_id};
  if (const auto* principal = static_cast<const Principal*>(request.principal.get())) {
    actor.username = principal->username.empty() ? principal->id : principal->username;
    actor.user_id = principal->kind == Principal::Kind::user ? principal->id : "";
  }
  return actor;
}

AuditActor system_actor() {
  return {.username = "SYSTEM"};
}

AuditService::AuditService(postgres::Pool& pool, Clock clock) : pool_(pool), clock_(std::move(clock)) {}

async::Task<postgres::Outcome<void>> AuditService::append(postgres::Transaction& transaction, AuditEntry entry) {
  auto added = co_await transaction.query(kInsert, parameters_of(entry, clock_()));
  if (!added) co_return std::unexpected(std::move(added.error()));
  co_return postgres::Outcome<void>{};
}

async::Task<Expected<void>> AuditService::record(AuditEntry entry) {
  auto added = co_await pool_.query(kInsert, parameters_of(entry, clock_()));
  if (!added) co_return std::unexpected(added.error().for_caller());
  co_return Expected<void>{};
}

void AuditService::count(AuditEntry entry, std::string_view reason) {
  const auto now = clock_();
  const auto minute = std::chrono::floor<std::chrono::minutes>(now).time_since_epoch().count();
  const auto key_of = [&] {
    return fmt::format("{}\n{}\n{}\n{}\n{}", minute, entry.actor.username, entry.action, entry.actor.remote_address,
                       reason);
  };
  auto key = key_of();
  if (counted_.size() >= kMaxCounted && !counted_.contains(key)) {
    entry.actor = {};
    entry.target.clear();
    key = key_of();
  }
  auto& counted = counted_[key];
  if (counted.times++ > 0) return;
  entry.detail["reason"] = reason;
  counted.first_at = now;
  counted.entry = std::move(entry);
}

async::Task<Expected<void>> AuditService::write_counted(bool all) {
  const auto minute = std::chrono::floor<std::chrono::minutes>(clock_());
  std::vector<std::string> keys;
  for (const auto& [key, counted] : counted_) {
    if (all || !counted.entry.actor.username.empty() || counted.first_at < minute) keys.push_back(key);
  }
  for (const auto& key : keys) {
    const auto found = counted_.find(key);
    if (found == counted_.end()) continue;
    auto counted = std::move(found->second);
    counted_.erase(found);
    auto entry = counted.entry;
    entry.detail["times"] = counted.times;
    entry.detail["firstAt"] = format_instant(counted.first_at);
    auto written = co_await record(std::move(entry));
    if (written) continue;
    auto& again = counted_[key];
    counted.times += again.times;
    again = std::move(counted);
    co_return written;
  }
  co_return Expected<void>{};
}

async::Task<> AuditService::run() {
  auto executor = co_await async::asio::this_coro::executor;
  for (;;) {
    (void)co_await write_counted();
    co_await async::sleep_for(executor, std::chrono::seconds(1));
    if ((co_await async::asio::this_coro::cancellation_state).cancelled() != async::asio::cancellation_type::none) {
      co_return;
    }
  }
}

async::Task<Expected<postgres::Result>> AuditService::change(std::string sql, postgres::Parameters parameters,
                                                             AuditEntry entry) {
  auto transaction = co_await pool_.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  auto result = co_await (*transaction)->query(std::move(sql), std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  if (result->affected() > 0) {
    auto added = co_await append(**transaction, std::move(entry));
    if (!added) co_return std::unexpected(added.error().for_caller());
  }
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return std::move(*result);
}

}  // namespace cameleer::server
