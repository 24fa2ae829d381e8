#include "server/auth/key_rotation.hpp"

#include <cameleer/identity/secret_box.hpp>

namespace cameleer::server {

KeyRotation::KeyRotation(postgres::Pool& pool, AuditService& audit, const identity::Keys& keys, Random random,
                         std::span<const SealedColumn> columns)
    : pool_(pool), audit_(audit), keys_(keys), random_(std::move(random)), columns_(columns) {}

async::Task<Expected<KeyRotation::Outcome>> KeyRotation::settle() {
  auto known = co_await known_check_value();
  if (!known) co_return std::unexpected(known.error());
  const bool current = *known == keys_.check_value();
  if (!current && keys_.previous_check_value() != *known) {
    co_return fail(ErrorCode::bad_configuration,
                   "The master key is not the one that this database was used with. To rotate it, name the old one in "
                   "cameleer.server.security.masterkeyprevious.",
                   "cameleer.server.security.masterkey");
  }
  Outcome outcome{.rotated = !current};
  if (keys_.previous_check_value()) {
    for (const auto& column : columns_) {
      if (auto done = co_await reseal(column, outcome); !done) co_return std::unexpected(done.error());
    }
  }
  if (!current) {
    if (auto taken = co_await take_over(std::move(*known), outcome); !taken) co_return std::unexpected(taken.error());
  }
  co_return outcome;
}

async::Task<Expected<void>> KeyRotation::reseal(SealedColumn column, Outcome& outcome) {
  const auto pattern = identity::sealed_prefix(*keys_.previous_secrets_id()) + "%";
  std::string after;
  for (;;) {
    postgres::Parameters parameters{pattern, after};
    auto rows = co_await pool_.query(std::string(column.select), std::move(parameters));
    if (!rows) co_return std::unexpected(rows.error().for_caller());
    if (rows->rows() == 0) co_return Expected<void>{};
    for (std::size_t row = 0; row < rows->rows(); ++row) {
      after = rows->text(row, 0);
      const auto place = column.place_of(after);
      const auto secret = identity::open(keys_, rows->text(row, 1), place);
      if (!secret) {
        ++outcome.unreadable;
        continue;
      }
      postgres::Parameters change{after, rows->text(row, 1), identity::seal(keys_, *secret, place, random_)};
      auto changed = co_await pool_.query(std::string(column.update), std::move(change));
      if (!changed) co_return std::unexpected(changed.error().for_caller());
      outcome.resealed += static_cast<std::size_t>(changed->affected());
    }
  }
}

async::Task<Expected<std::string>> KeyRotation::known_check_value() {
  postgres::Parameters parameters{keys_.check_value()};
  auto result = co_await pool_.query(
      "insert into server_config (key, value) values ('master-key-check', to_jsonb($1::text)) "
      "on conflict (key) do update set value = server_config.value returning value #>> '{}'",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return std::string(result->text(0, 0));
}

async::Task<Expected<void>> KeyRotation::take_over(std::string before, Outcome outcome) {
  postgres::Parameters parameters{before, keys_.check_value()};
  AuditEntry entry{.actor = system_actor(),
                   .category = AuditCategory::config,
                   .action = "rotate_master_key",
                   .detail = {{"resealed", outcome.resealed}, {"unreadable", outcome.unreadable}}};
  // Another process may have done it meanwhile; it did the same.
  auto changed = co_await audit_.change(
      "update server_config set value = to_jsonb($2::text) where key = 'master-key-check' and value = "
      "to_jsonb($1::text)",
      std::move(parameters), std::move(entry));
  if (!changed) co_return std::unexpected(changed.error());
  co_return Expected<void>{};
}

}  // namespace cameleer::server
