#include "server/audit/audit_store.hpp"

namespace cameleer::server {
namespace {

// Columns of a row `l`, from index 0.
constexpr const char* kRow =
    "l.id, to_char(l.timestamp at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), l.username, l.user_id, "
    "l.action, l.category, l.target, l.result, l.detail::text, l.remote_address, l.request_id";
constexpr std::size_t kRowColumns = 11;
constexpr const char* kSeal =
    "s.position, s.hash, (select p.hash from audit_seals p where p.position = s.position - 1)";

AuditRow row_in(const postgres::Result& result, std::size_t row) {
  const auto text = [&](std::size_t column) { return std::string(result.text(row, column)); };
  return {.id = text(0),
          .timestamp = text(1),
          .username = text(2),
          .user_id = result.optional_text(row, 3),
          .action = text(4),
          .category = text(5),
          .target = text(6),
          .result = text(7),
          .detail = text(8),
          .remote_address = result.optional_text(row, 9),
          .request_id = result.optional_text(row, 10)};
}

/// Conditions with their parameters; the texts are few, so that prepared statements are.
struct Conditions {
  std::string sql = "true";
  postgres::Parameters parameters;
  void add(std::string_view before, postgres::Parameter value, std::string_view after = "") {
    parameters.push_back(std::move(value));
    sql += fmt::format(" and {}${}{}", before, parameters.size(), after);
  }
};

Conditions conditions_of(const AuditFilter& filter) {
  Conditions all;
  if (filter.from) all.add("l.timestamp >= ", format_instant(*filter.from), "::timestamptz");
  if (filter.to) all.add("l.timestamp < ", format_instant(*filter.to), "::timestamptz");
  if (filter.username) all.add("l.username = ", *filter.username);
  if (filter.category) all.add("l.category = ", *filter.category);
  if (filter.action) all.add("l.action = ", *filter.action);
  if (filter.target) all.add("l.target = ", *filter.target);
  if (filter.result) all.add("l.result = ", *filter.result);
  if (filter.text) {
    all.add("position(lower(", *filter.text,
            "::text) in lower(concat_ws(' ', l.username, l.action, l.target, l.detail::text))) > 0");
  }
  return all;
}

}  // namespace

async::Task<Expected<std::vector<SealedRow>>> AuditStore::rows(std::string sql, postgres::Parameters parameters) {
  auto result = co_await pool_.query(std::move(sql), std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  std::vector<SealedRow> rows;
  rows.reserve(result->rows());
  for (std::size_t i = 0; i < result->rows(); ++i) {
    SealedRow one{.row = row_in(*result, i), .hash = {}, .previous_hash = {}, .missing = result->is_null(i, 0)};
    if (!result->is_null(i, kRowColumns)) {
      one.position = result->integer(i, kRowColumns);
      one.hash = result->bytes(i, kRowColumns + 1);
      const bool first = result->is_null(i, kRowColumns + 2);
      one.previous_hash = first ? audit_chain_start() : result->bytes(i, kRowColumns + 2);
    }
    rows.push_back(std::move(one));
  }
  co_return rows;
}

async::Task<Expected<std::vector<SealedRow>>> AuditStore::page(AuditFilter filter, std::optional<std::int64_t> before,
                                                               std::size_t most) {
  auto where = conditions_of(filter);
  if (before) where.add("l.id < ", *before, "::bigint");
  where.parameters.emplace_back(static_cast<std::int64_t>(most));
  co_return co_await rows(fmt::format("select {}, {} from audit_log l left join audit_seals s on s.audit_id = l.id "
                                      "where {} order by l.id desc limit ${}::bigint",
                                      kRow, kSeal, where.sql, where.parameters.size()),
                          std::move(where.parameters));
}

async::Task<Expected<std::vector<SealedRow>>> AuditStore::sealed_after(AuditFilter filter, std::int64_t position,
                                                                       std::size_t most) {
  auto where = conditions_of(filter);
  where.add("s.position > ", position, "::bigint");
  where.parameters.emplace_back(static_cast<std::int64_t>(most));
  co_return co_await rows(fmt::format("select {}, {} from audit_seals s join audit_log l on l.id = s.audit_id "
                                      "where {} order by s.position limit ${}::bigint",
                                      kRow, kSeal, where.sql, where.parameters.size()),
                          std::move(where.parameters));
}

async::Task<Expected<std::vector<SealedRow>>> AuditStore::rest_after(AuditFilter filter, std::int64_t position,
                                                                     std::int64_t id, std::size_t most) {
  auto where = conditions_of(filter);
  where.add("(s.position is null or s.position > ", position, "::bigint)");
  where.add("l.id > ", id, "::bigint");
  where.parameters.emplace_back(static_cast<std::int64_t>(most));
  auto found = co_await rows(fmt::format("select {}, {} from audit_log l left join audit_seals s on s.audit_id = l.id "
                                         "where {} order by l.id limit ${}::bigint",
                                         kRow, kSeal, where.sql, where.parameters.size()),
                             std::move(where.parameters));
  if (found) {
    for (auto& one : *found) one.position = 0;
  }
  co_return found;
}

async::Task<Expected<std::vector<SealedRow>>> AuditStore::seals_after(std::int64_t position, std::size_t most) {
  postgres::Parameters parameters{position, static_cast<std::int64_t>(most)};
  co_return co_await rows(fmt::format("select {}, {} from audit_seals s left join audit_log l on l.id = s.audit_id "
                                      "where s.position > $1::bigint order by s.position limit $2::bigint",
                                      kRow, kSeal),
                          std::move(parameters));
}

async::Task<Expected<std::size_t>> AuditStore::seal(std::size_t most) {
  auto begun = co_await pool_.begin();
  if (!begun) co_return std::unexpected(begun.error().for_caller());
  auto& transaction = **begun;
  auto chain = co_await transaction.query(
      "select position, hash, last_xid, last_id, last_xid >= pg_snapshot_xmax(pg_current_snapshot()) "
      "from audit_chain for update skip locked");
  if (!chain) co_return std::unexpected(chain.error().for_caller());
  if (chain->rows() == 0) co_return std::size_t{0};
  auto position = chain->integer(0, 0);
  auto hash = chain->bytes(0, 1);
  std::string last_xid(chain->text(0, 2)), last_id(chain->text(0, 3));
  // A cluster into which the tables were restored counts its transactions anew. Rows of the old one are committed; once
  // they are chained, the new count begins.
  const bool restored = chain->boolean(0, 4);
  postgres::Parameters after;
  std::string order = "l.xid >= pg_snapshot_xmax(pg_current_snapshot())";
  if (!restored) {
    after = {last_xid, last_id};
    order = "(l.xid, l.id) > ($1::xid8, $2::bigint) and l.xid < pg_snapshot_xmin(pg_current_snapshot())";
  }
  auto found = co_await transaction.query(
      fmt::format("select {}, l.xid from audit_log l where {} and not exists (select from audit_seals s where "
                  "s.audit_id = l.id) order by l.xid, l.id limit {}",
                  kRow, order, most),
      std::move(after));
  if (!found) co_return std::unexpected(found.error().for_caller());
  if (found->rows() == 0 && !restored) {
    // Now, not when the pool gets to it: who signs next passes by a chain that is locked.
    (void)co_await transaction.rollback();
    co_return std::size_t{0};
  }
  std::vector<std::string> positions, ids, hashes;
  for (std::size_t i = 0; i < found->rows(); ++i) {
    const auto row = row_in(*found, i);
    hash = audit_hash(hash, ++position, row);
    positions.push_back(std::to_string(position));
    ids.push_back(row.id);
    hashes.push_back(hexadecimal(hash));
    if (!restored) {
      last_xid = found->text(i, kRowColumns);
      last_id = row.id;
    }
  }
  if (restored && found->rows() < most) last_xid = last_id = "0";
  postgres::Parameters seals{postgres::Parameter::text_array(positions), postgres::Parameter::text_array(ids),
                             postgres::Parameter::text_array(hashes)};
  auto inserted = co_await transaction.query(
      "insert into audit_seals (position, audit_id, hash) select p::bigint, i::bigint, decode(h, 'hex') "
      "from unnest($1::text[], $2::text[], $3::text[]) as u (p, i, h)",
      std::move(seals));
  if (!inserted) co_return std::unexpected(inserted.error().for_caller());
  postgres::Parameters state{position, postgres::Parameter::bytea(hash), last_xid, last_id};
  auto moved = co_await transaction.query(
      "update audit_chain set position = $1::bigint, hash = $2::bytea, last_xid = $3::xid8, last_id = $4::bigint",
      std::move(state));
  if (!moved) co_return std::unexpected(moved.error().for_caller());
  auto committed = co_await transaction.commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return found->rows();
}

async::Task<Expected<std::optional<AuditHead>>> AuditStore::sign(const AuditKey& key, Instant now,
                                                                 std::chrono::milliseconds age) {
  auto begun = co_await pool_.begin();
  if (!begun) co_return std::unexpected(begun.error().for_caller());
  auto& transaction = **begun;
  postgres::Parameters due{format_instant(now - age)};
  auto chain = co_await transaction.query(
      "select position, hash from audit_chain c where position > 0 and not exists (select from audit_heads h "
      "where h.position >= c.position or h.signed_at > $1::timestamptz) for update skip locked",
      std::move(due));
  if (!chain) co_return std::unexpected(chain.error().for_caller());
  if (chain->rows() == 0) co_return std::optional<AuditHead>{};
  auto head = sign_head(key, chain->integer(0, 0), chain->bytes(0, 1), now);
  postgres::Parameters row{head.position, format_instant(now), postgres::Parameter::bytea(head.hash), head.key_id,
                           head.signature};
  auto inserted = co_await transaction.query(
      "insert into audit_heads (position, signed_at, hash, key_id, signature) "
      "values ($1::bigint, $2::timestamptz, $3::bytea, $4, $5) on conflict do nothing",
      std::move(row));
  if (!inserted) co_return std::unexpected(inserted.error().for_caller());
  auto committed = co_await transaction.commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return std::optional(std::move(head));
}

async::Task<Expected<AuditStore::Chain>> AuditStore::chain() {
  auto result = co_await pool_.query(
      "select c.position, c.hash, u.unsealed, u.inserted from audit_chain c cross join lateral (select count(*) as "
      "unsealed, count(*) filter (where (l.xid, l.id) <= (c.last_xid, c.last_id) and c.last_xid < "
      "pg_snapshot_xmax(pg_current_snapshot())) as inserted from audit_log l where not exists (select from audit_seals "
      "s where s.audit_id = l.id)) u");
  if (!result) co_return std::unexpected(result.error().for_caller());
  if (result->rows() == 0) co_return Chain{.hash = audit_chain_start()};
  co_return Chain{.position = result->integer(0, 0),
                  .hash = result->bytes(0, 1),
                  .unsealed = result->integer(0, 2),
                  .inserted = result->integer(0, 3)};
}

async::Task<Expected<std::optional<std::int64_t>>> AuditStore::contradicted_head() {
  auto result = co_await pool_.query(
      "select h.position from audit_heads h left join audit_seals s using (position) "
      "where s.hash is distinct from h.hash order by h.position limit 1");
  if (!result) co_return std::unexpected(result.error().for_caller());
  if (result->rows() == 0) co_return std::optional<std::int64_t>{};
  co_return std::optional(result->integer(0, 0));
}

async::Task<Expected<std::vector<AuditHead>>> AuditStore::heads() {
  auto result = co_await pool_.query(
      "select position, hash, to_char(signed_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), key_id, "
      "signature from audit_heads order by position desc limit 1000");
  if (!result) co_return std::unexpected(result.error().for_caller());
  std::vector<AuditHead> heads;
  heads.reserve(result->rows());
  for (std::size_t i = 0; i < result->rows(); ++i) {
    heads.push_back({.position = result->integer(i, 0),
                     .hash = result->bytes(i, 1),
                     .signed_at = parse_instant(result->text(i, 2)).value_or(Instant{}),
                     .key_id = std::string(result->text(i, 3)),
                     .signature = std::string(result->text(i, 4))});
  }
  co_return heads;
}

}  // namespace cameleer::server
