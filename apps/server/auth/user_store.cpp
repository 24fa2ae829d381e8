#include "server/auth/user_store.hpp"

namespace cameleer::server {
namespace {

constexpr const char* kAdminRole = "00000000-0000-4000-8000-000000000003";

// Columns of a user `u` with what `kAccess` found, from index 0; the names of roles and permissions hold no comma.
constexpr const char* kUserColumns =
    "u.user_id, u.username, u.display_name, floor(extract(epoch from u.token_revoked_before) * 1000)::bigint, "
    "access.roles, access.permissions";

// Direct and managed roles, and those of the groups and of all their ancestors. `union`, so that even a cycle ends.
constexpr const char* kAccess =
    " cross join lateral (with recursive member_of(group_id, parent_group_id) as ("
    "select g.group_id, g.parent_group_id from user_groups ug join groups g using (group_id) "
    "where ug.user_id = u.user_id union "
    "select p.group_id, p.parent_group_id from member_of m join groups p on p.group_id = m.parent_group_id), "
    "held as (select ur.role_id from user_roles ur where ur.user_id = u.user_id union "
    "select gr.role_id from group_roles gr join member_of using (group_id)) "
    "select coalesce(string_agg(distinct r.name, ',' order by r.name), '') as roles, "
    "coalesce(string_agg(distinct permission, ','), '') as permissions "
    "from held join roles r using (role_id) left join lateral unnest(r.permissions) permission on true) access ";

std::vector<std::string> split(std::string_view names) {
  std::vector<std::string> parts;
  while (!names.empty()) {
    const auto comma = std::min(names.find(','), names.size());
    parts.emplace_back(names.substr(0, comma));
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
  return parts;
}

User user_in(const postgres::Result& result) {
  User user;
  user.id = result.text(0, 0);
  user.username = result.text(0, 1);
  user.display_name = result.text(0, 2);
  if (!result.is_null(0, 3)) user.tokens_revoked_before = instant_of(result.integer(0, 3));
  user.roles = split(result.text(0, 4));
  for (const auto& role : user.roles) user.permissions.add(rbac::system_role(role).value_or(rbac::Permissions{}));
  for (const auto& name : split(result.text(0, 5))) {
    // A permission that only a newer program knows gives nothing.
    if (const auto permission = rbac::permission_of(name)) user.permissions.add(*permission);
  }
  return user;
}

async::Task<Expected<void>> run(postgres::Pool& pool, std::string sql, postgres::Parameters parameters) {
  auto result = co_await pool.query(std::move(sql), std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return Expected<void>{};
}

}  // namespace

async::Task<Expected<bool>> UserStore::insert_first_admin(postgres::Transaction& transaction, std::string id,
                                                          std::string username, std::string display_name,
                                                          std::string password_hash, Instant now) {
  auto locked = co_await transaction.query("lock table users in share row exclusive mode");
  if (!locked) co_return std::unexpected(locked.error().for_caller());
  postgres::Parameters parameters{id, username, display_name, password_hash, format_instant(now), kAdminRole};
  auto result = co_await transaction.query(
      "with made as (insert into users (user_id, username, display_name, password_hash, created_at) "
      "select $1::uuid, $2, $3, $4, $5::timestamptz where not exists (select from users) returning user_id) "
      "insert into user_roles (user_id, role_id, created_at) select user_id, $6::uuid, $5::timestamptz from made",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return result->affected() > 0;
}

async::Task<Expected<bool>> UserStore::any_user() {
  auto result = co_await pool_.query("select exists (select from users)");
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return result->boolean(0, 0);
}

async::Task<Expected<std::optional<LoginRow>>> UserStore::find_login(std::string username) {
  postgres::Parameters parameters{username};
  auto result = co_await pool_.query(
      "select user_id, password_hash from users where lower(username) = lower($1) and password_hash is not null "
      "and enabled",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  if (result->rows() == 0) co_return std::optional<LoginRow>{};
  LoginRow row;
  row.user_id = result->text(0, 0);
  row.password_hash = result->text(0, 1);
  co_return std::optional(std::move(row));
}

async::Task<Expected<std::optional<Instant>>> UserStore::count_attempt(std::string user_id, int limit, Instant now,
                                                                       Instant lock_until, bool* locks) {
  postgres::Parameters parameters{user_id, limit, format_instant(now), format_instant(lock_until)};
  // The first attempt after a lock starts the count anew.
  auto counted = co_await pool_.query(
      "update users set "
      "failed_login_attempts = case when locked_until is null then failed_login_attempts + 1 else 1 end, "
      "locked_until = case when (case when locked_until is null then failed_login_attempts + 1 else 1 end) >= $2::int "
      "then $4::timestamptz end "
      "where user_id = $1::uuid and (locked_until is null or locked_until <= $3::timestamptz) "
      "returning locked_until is not null",
      std::move(parameters));
  if (!counted) co_return std::unexpected(counted.error().for_caller());
  if (counted->affected() > 0) {
    if (locks != nullptr) *locks = counted->boolean(0, 0);
    co_return std::optional<Instant>{};
  }
  postgres::Parameters who{user_id};
  auto locked = co_await pool_.query(
      "select floor(extract(epoch from coalesce(locked_until, 'epoch')) * 1000)::bigint from users where user_id = "
      "$1::uuid",
      std::move(who));
  if (!locked) co_return std::unexpected(locked.error().for_caller());
  co_return std::optional(locked->rows() == 0 ? now : instant_of(locked->integer(0, 0)));
}

async::Task<Expected<void>> UserStore::clear_attempts(std::string user_id) {
  postgres::Parameters parameters{user_id};
  co_return co_await run(pool_,
                         "update users set failed_login_attempts = 0, locked_until = null where user_id = $1::uuid",
                         std::move(parameters));
}

async::Task<Expected<void>> UserStore::note_login(std::string user_id, Instant now) {
  postgres::Parameters parameters{user_id, format_instant(now)};
  co_return co_await run(pool_,
                         "update users set failed_login_attempts = 0, locked_until = null, last_login_at = "
                         "$2::timestamptz where user_id = $1::uuid",
                         std::move(parameters));
}

async::Task<Expected<bool>> UserStore::password_counts(std::string user_id, std::string password_hash) {
  postgres::Parameters parameters{user_id, password_hash};
  auto result = co_await pool_.query(
      "select user_id from users where user_id = $1::uuid and enabled and password_hash = $2 for share",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return result->rows() > 0;
}

async::Task<Expected<void>> UserStore::insert_session(SessionRow session) {
  postgres::Parameters parameters{session.hash,
                                  session.user_id,
                                  format_instant(session.created_at),
                                  format_instant(session.last_seen_at),
                                  format_instant(session.expires_at),
                                  session.remote_address,
                                  session.user_agent};
  co_return co_await run(pool_,
                         "insert into sessions (session_hash, user_id, created_at, last_seen_at, expires_at, "
                         "remote_address, user_agent) values ($1, $2, $3, $4, $5, $6, $7)",
                         std::move(parameters));
}

async::Task<Expected<std::optional<UserStore::Session>>> UserStore::find_session(std::string hash) {
  postgres::Parameters parameters{hash};
  auto result = co_await pool_.query(std::string("select ") + kUserColumns +
                                         ", floor(extract(epoch from s.created_at) * 1000)::bigint, "
                                         "floor(extract(epoch from s.last_seen_at) * 1000)::bigint, "
                                         "floor(extract(epoch from s.expires_at) * 1000)::bigint "
                                         "from sessions s join users u using (user_id)" +
                                         kAccess + "where s.session_hash = $1 and u.enabled",
                                     std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  if (result->rows() == 0) co_return std::optional<Session>{};
  Session session;
  session.user = user_in(*result);
  session.row.hash = std::move(hash);
  session.row.user_id = session.user.id;
  session.row.created_at = instant_of(result->integer(0, 6));
  session.row.last_seen_at = instant_of(result->integer(0, 7));
  session.row.expires_at = instant_of(result->integer(0, 8));
  co_return std::optional(std::move(session));
}

async::Task<Expected<void>> UserStore::touch_session(std::string hash, Instant now) {
  postgres::Parameters parameters{hash, format_instant(now)};
  co_return co_await run(
      pool_,
      "update sessions set last_seen_at = $2::timestamptz where session_hash = $1 and last_seen_at < $2::timestamptz",
      std::move(parameters));
}

async::Task<Expected<void>> UserStore::delete_session(std::string hash) {
  postgres::Parameters parameters{hash};
  co_return co_await run(pool_, "delete from sessions where session_hash = $1", std::move(parameters));
}

async::Task<Expected<void>> UserStore::delete_ended_sessions(Instant idle_before, Instant now) {
  postgres::Parameters parameters{format_instant(idle_before), format_instant(now)};
  co_return co_await run(pool_,
                         "delete from sessions where last_seen_at <= $1::timestamptz or expires_at <= $2::timestamptz",
                         std::move(parameters));
}

async::Task<Expected<std::optional<User>>> UserStore::find_user(std::string user_id) {
  postgres::Parameters parameters{user_id};
  auto result = co_await pool_.query(
      std::string("select ") + kUserColumns + " from users u" + kAccess + "where u.user_id = $1::uuid and u.enabled",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  if (result->rows() == 0) co_return std::optional<User>{};
  co_return std::optional(user_in(*result));
}

async::Task<Expected<std::optional<User>>> UserStore::find_user_of_family(std::string user_id, std::string family) {
  postgres::Parameters parameters{user_id, family};
  auto result = co_await pool_.query(
      std::string("select ") + kUserColumns + " from users u" + kAccess +
          "where u.user_id = $1::uuid and u.enabled and exists (select from refresh_tokens t where t.family_id = "
          "$2::uuid "
          "and t.user_id = u.user_id) and not exists (select from refresh_tokens t where t.family_id = $2::uuid "
          "and t.revoked_at is not null)",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  if (result->rows() == 0) co_return std::optional<User>{};
  co_return std::optional(user_in(*result));
}

}  // namespace cameleer::server
