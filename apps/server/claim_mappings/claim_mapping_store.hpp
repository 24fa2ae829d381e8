#pragma once
#include <cameleer/core/claim_rules.hpp>

#include "server/users/directory.hpp"

namespace cameleer::server {

struct StoredRule {
  claims::Rule rule;
  Instant created_at{}, updated_at{};
};

/// The user whose claims are looked at.
struct ClaimsUser {
  std::string id, username;
  std::optional<std::string> last_claims;
};

class ClaimMappingStore {
 public:
  /// In the order of evaluation.
  template <class Connection>
  static async::Task<Expected<std::vector<StoredRule>>> list(Connection& connection);

  static async::Task<Expected<void>> insert(postgres::Transaction& transaction, StoredRule rule);
  static async::Task<Expected<void>> update(postgres::Transaction& transaction, StoredRule rule);
  static async::Task<Expected<void>> remove(postgres::Transaction& transaction, std::string id);
  /// Priorities 0, 10, 20, … in the order of `ids`.
  static async::Task<Expected<void>> reorder(postgres::Transaction& transaction, std::vector<std::string> ids,
                                             Instant now);

  /// By id or user name; `user_not_found`.
  static async::Task<Expected<ClaimsUser>> find_user(postgres::Pool& pool, std::string id_or_name);
  /// Locks the user's row to the end.
  static async::Task<Expected<ClaimsUser>> lock_user(postgres::Transaction& transaction, std::string id);
  static async::Task<Expected<void>> put_claims(postgres::Transaction& transaction, std::string user_id,
                                                std::string claims, Instant now);
  /// Roles (or groups) of a user that rules give: takes some away, gives others.
  static async::Task<Expected<void>> put_managed(postgres::Transaction& transaction, bool roles, std::string user_id,
                                                 rbac::Difference difference, Instant now);
};

}  // namespace cameleer::server
