#pragma once
#include <boost/json/object.hpp>
#include <cameleer/core/instant.hpp>
#include <cameleer/postgres/pool.hpp>
#include <cameleer/web/message.hpp>
#include <map>

namespace cameleer::server {

enum class AuditCategory : std::uint8_t {
  auth,
  user_mgmt,
  rbac,
  config,
  license,
  environment,
  app,
  deployment,
  agent,
  alerting,
  outbound
};
std::string_view name_of(AuditCategory category);
enum class AuditResult : std::uint8_t { success, failure };
std::string_view name_of(AuditResult result);

/// Who acts, and in which request.
struct AuditActor {
  std::string username = {};
  std::string user_id = {};  ///< UUID, or empty
  std::string remote_address = {}, request_id = {};
};
/// The actor of a request; without a name when nobody is signed in.
AuditActor actor_of(const web::Request& request);
/// The server's own doings: `SYSTEM`.
AuditActor system_actor();

struct AuditEntry {
  AuditActor actor;
  AuditCategory category = AuditCategory::auth;
  std::string action;       ///< snake_case verb and object: `create_user`, `login`
  std::string target = {};  ///< name or id of what it is about
  AuditResult result = AuditResult::success;
  boost::json::object detail = {};  ///< `before` and `after` of a change, never a secret
};

/// The audit log. A change is recorded in its own transaction: no row without the change, no change without the row.
///
/// A detail of more than 64 KiB keeps its small members; of the others it says how large they were. NUL bytes and
/// invalid UTF-8, which the database cannot hold, become `?`. I/O thread only.
class AuditService {
 public:
  AuditService(postgres::Pool& pool, Clock clock);

  /// In the change's transaction; its failure must end the transaction.
  async::Task<postgres::Outcome<void>> append(postgres::Transaction& transaction, AuditEntry entry);
  /// Of its own: logins, refused attempts.
  async::Task<Expected<void>> record(AuditEntry entry);
  /// A change that is one statement, and its entry, in a transaction of their own. No entry when the statement touched
  /// no row.
  async::Task<Expected<postgres::Result>> change(std::string sql, postgres::Parameters parameters, AuditEntry entry);

  /// For what anybody may cause at any rate: entries alike in user, action, address and `reason` become one a minute,
  /// with their number. Those of known users are written within a second, the others when their minute is over; a
  /// process that is killed loses them. Of more than 10,000 different ones the addresses are not told apart any more.
  void count(AuditEntry entry, std::string_view reason);
  /// `all`: those of the present minute as well.
  async::Task<Expected<void>> write_counted(bool all = false);
  /// Writes what was counted, every second, until the coroutine is cancelled.
  async::Task<> run();

 private:
  struct Counted {
    AuditEntry entry;
    Instant first_at{};
    std::int64_t times = 0;
  };
  postgres::Pool& pool_;
  Clock clock_;
  std::map<std::string, Counted> counted_;
};

}  // namespace cameleer::server
