#include "server/audit/audit_ledger.hpp"

namespace cameleer::server {
namespace {

using namespace std::chrono_literals;
using Broken = AuditVerification::Broken;

constexpr std::size_t kBatch = 1'000;
constexpr auto kInterval = 1s;
constexpr auto kHeadInterval = 1h;

}  // namespace

AuditLedger::AuditLedger(postgres::Pool& pool, AuditKey key, Clock clock)
    : store_(pool), key_(std::move(key)), clock_(std::move(clock)) {}

async::Task<Expected<std::size_t>> AuditLedger::seal() {
  std::size_t all = 0;
  for (;;) {
    auto some = co_await store_.seal(kBatch);
    if (!some) co_return some;
    all += *some;
    if (*some < kBatch) co_return all;
  }
}

async::Task<Expected<std::optional<AuditHead>>> AuditLedger::sign(std::chrono::milliseconds age) {
  co_return co_await store_.sign(key_, clock_(), age);
}

AuditHead AuditLedger::signed_end(std::int64_t position, std::string hash) const {
  return sign_head(key_, position, std::move(hash), clock_());
}

async::Task<Expected<std::optional<Broken>>> AuditLedger::walk(std::int64_t end, std::string end_hash) {
  std::int64_t position = 0;
  auto hash = audit_chain_start();
  while (position < end) {
    auto batch = co_await store_.seals_after(position, kBatch);
    if (!batch) co_return std::unexpected(batch.error());
    if (batch->empty()) co_return Broken{.position = position + 1, .reason = "The seal is missing."};
    for (const auto& one : *batch) {
      if (one.position > end) break;
      if (one.position != position + 1) co_return Broken{.position = position + 1, .reason = "The seal is missing."};
      position = one.position;
      if (one.missing) co_return Broken{.position = position, .reason = "The row was removed."};
      hash = audit_hash(hash, position, one.row);
      if (hash != one.hash) {
        co_return Broken{.position = position, .reason = "The row, its place or a seal before it was changed."};
      }
    }
  }
  if (hash != end_hash) co_return Broken{.position = end, .reason = "The chain does not end with this seal."};
  co_return std::optional<Broken>{};
}

async::Task<Expected<std::optional<Broken>>> AuditLedger::check_heads() {
  auto contradicted = co_await store_.contradicted_head();
  if (!contradicted) co_return std::unexpected(contradicted.error());
  if (*contradicted) co_return Broken{.position = **contradicted, .reason = "A signed head says otherwise."};
  auto heads = co_await store_.heads();
  if (!heads) co_return std::unexpected(heads.error());
  for (const auto& head : *heads) {
    if (head.key_id == key_.id && !is_signed(head, key_.public_key)) {
      co_return Broken{.position = head.position, .reason = "The signature of a head is wrong."};
    }
  }
  co_return std::optional<Broken>{};
}

async::Task<Expected<AuditVerification>> AuditLedger::verify() {
  auto chain = co_await store_.chain();
  if (!chain) co_return std::unexpected(chain.error());
  AuditVerification result{.sealed = chain->position, .unsealed = chain->unsealed};
  auto broken = co_await walk(chain->position, chain->hash);
  if (!broken) co_return std::unexpected(broken.error());
  result.first_broken = std::move(*broken);
  if (!result.first_broken) {
    auto heads = co_await check_heads();
    if (!heads) co_return std::unexpected(heads.error());
    result.first_broken = std::move(*heads);
  }
  if (!result.first_broken && chain->inserted > 0) {
    result.first_broken = Broken{
        .position = chain->position,
        .reason = fmt::format("{} rows without a seal lie before it: they were inserted later.", chain->inserted)};
  }
  if (chain->position > 0 && result.ok()) result.head = signed_end(chain->position, chain->hash);
  co_return result;
}

async::Task<> AuditLedger::run(OnHead on_head) {
  auto executor = co_await async::asio::this_coro::executor;
  for (;;) {
    (void)co_await seal();
    if (auto head = co_await sign(kHeadInterval); head && *head && on_head) on_head(**head, key_.public_key);
    co_await async::sleep_for(executor, kInterval);
    if ((co_await async::asio::this_coro::cancellation_state).cancelled() != async::asio::cancellation_type::none) {
      co_return;
    }
  }
}

async::Task<> AuditLedger::finish(OnHead on_head) {
  if (!co_await seal()) co_return;
  if (auto head = co_await sign(0ms); head && *head && on_head) on_head(**head, key_.public_key);
}

}  // namespace cameleer::server
