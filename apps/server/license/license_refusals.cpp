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

async::Task<> LicenseRefusals::note(CapRefusal refusal, AuditActor actor) {
  const auto place = static_cast<std::size_t>(refusal.limit);
  ++counts_[place];
  auto key = fmt::format("{}\n{}", place, actor.username);
  if (minutes_.size() >= kMostMinutes && !minutes_.contains(key)) {
    actor = {};
    key = fmt::format("{}\n", place);
  }
  auto entry = entry_of(refusal, std::move(actor));
  last_[place] = std::move(refusal);
  const auto [minute, first] = minutes_.try_emplace(key, Minute{.entry = entry, .began = clock_(), .count = 0});
  if (!first) {
    ++minute->second.count;
    minute->second.entry = std::move(entry);
    co_return;
  }
  entry.detail["count"] = 1;
  auto written = co_await audit_.record(std::move(entry));
  if (written) co_return;
  // It comes with those of the minute.
  if (const auto found = minutes_.find(key); found != minutes_.end()) ++found->second.count;
}

async::Task<Expected<void>> LicenseRefusals::write_counted(bool all) {
  const auto now = clock_();
  std::vector<std::string> over;
  for (const auto& [key, minute] : minutes_) {
    if (all || now - minute.began >= std::chrono::minutes(1)) over.push_back(key);
  }
  for (const auto& key : over) {
    const auto found = minutes_.find(key);
    if (found == minutes_.end()) continue;
    const auto count = found->second.count;
    if (count == 0) {
      minutes_.erase(found);
      continue;
    }
    found->second.count = 0;
    found->second.began = now;
    auto entry = found->second.entry;
    entry.detail["count"] = count;
    auto written = co_await audit_.record(std::move(entry));
    if (written) continue;
    if (const auto again = minutes_.find(key); again != minutes_.end()) again->second.count += count;
    co_return written;
  }
  co_return Expected<void>{};
}

}  // namespace cameleer::server
