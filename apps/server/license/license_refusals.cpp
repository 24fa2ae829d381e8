#include "server/license/license_refusals.hpp"

#include <vector>

namespace cameleer::server {
namespace {

constexpr std::size_t kMostMinutes = 1'000;

AuditEntry entry_of(const CapRefusal& refusal, AuditActor actor) {
  AuditEntry entry{.actor = std::move(actor),
                   .category = AuditCategory::license,
                   .action = "cap_exceeded",
                   .target = std::string(name_of(refusal.limit)),
                   .result = AuditResult::failure};
  entry.detail["limit"] = name_of(refusal.limit);
  entry.detail["current"] = refusal.current;
  entry.detail["cap"] = refusal.cap;
  entry.detail["state"] = name_of(refusal.state);
  return entry;
}

}  // namespace

void LicenseRefusals::note(CapRefusal refusal, AuditActor actor) {
  const auto place = static_cast<std::size_t>(refusal.limit);
  ++counts_[place];
  auto key = fmt::format("{}\n{}", place, actor.username);
  if (minutes_.size() >= kMostMinutes && !minutes_.contains(key)) {
    actor = {};
    key = fmt::format("{}\n", place);
  }
  auto& minute = minutes_.try_emplace(std::move(key), Minute{.entry = {}, .began = clock_()}).first->second;
  ++minute.count;
  minute.entry = entry_of(refusal, std::move(actor));
  last_[place] = std::move(refusal);
}

async::Task<Expected<void>> LicenseRefusals::write(std::string key, std::int64_t count) {
  auto& minute = minutes_.at(key);
  minute.count -= count;
  auto entry = minute.entry;
  entry.detail["count"] = count;
  auto written = co_await audit_.record(std::move(entry));
  // Only here are minutes taken away, and not while one is written.
  if (!written) minutes_.at(key).count += count;
  co_return written;
}

async::Task<Expected<void>> LicenseRefusals::write_counted(bool all) {
  if (writing_ && !all) co_return Expected<void>{};
  auto executor = co_await async::asio::this_coro::executor;
  while (writing_) co_await async::sleep_for(executor, std::chrono::milliseconds(5));
  writing_ = true;
  auto written = co_await write_due(all);
  writing_ = false;
  co_return written;
}

async::Task<Expected<void>> LicenseRefusals::write_due(bool all) {
  const auto now = clock_();
  std::vector<std::string> keys;
  keys.reserve(minutes_.size());
  for (const auto& [key, minute] : minutes_) keys.push_back(key);
  for (const auto& key : keys) {
    if (minutes_.at(key).first) {
      auto written = co_await write(key, 1);
      if (!written) co_return written;
      minutes_.at(key).first = false;
    }
    if (!all && now - minutes_.at(key).began < std::chrono::minutes(1)) continue;
    const auto count = minutes_.at(key).count;
    if (count == 0) {
      minutes_.erase(key);
      continue;
    }
    minutes_.at(key).began = now;
    auto written = co_await write(key, count);
    if (!written) co_return written;
  }
  co_return Expected<void>{};
}

}  // namespace cameleer::server
