#pragma once
#include "server/users/directory.hpp"

namespace cameleer::server {

/// The record of a person.
struct Account {
  std::string id;  ///< UUID
  std::string username, display_name;
  std::optional<std::string> email;
  std::string source = "local";  ///< or `oidc`
  bool enabled = true;
  Instant created_at{};
  std::optional<Instant> last_login_at, locked_until;
  std::optional<std::string> password_hash;
  std::string sort_key;                    ///< the user name as the database makes it lower case; of a list only
  std::optional<std::string> last_claims;  ///< JSON, of the last login with a provider
};

class AccountStore {
 public:
  struct Page {
    std::string search;  ///< in user name, display name or e-mail, in any case; empty: everybody
    std::string after;   ///< the lower-case user name of the last one before the page
    std::size_t limit = 100;
  };
  /// In the order of their names, without passwords and claims.
  static async::Task<Expected<std::vector<Account>>> list(postgres::Pool& pool, Page page);

  /// By id or user name (in any case); `user_not_found`.
  template <class Connection>
  static async::Task<Expected<Account>> find(Connection& connection, std::string id_or_name);
  /// Like `find`; the row stays locked until the end.
  static async::Task<Expected<Account>> lock(postgres::Transaction& transaction, std::string id_or_name);

  static async::Task<Expected<void>> insert(postgres::Transaction& transaction, Account account);
  /// Display name, e-mail and whether it is enabled.
  static async::Task<Expected<void>> update(postgres::Transaction& transaction, Account account);
  static async::Task<Expected<void>> put_password(postgres::Transaction& transaction, std::string id, std::string hash);
  static async::Task<Expected<void>> remove(postgres::Transaction& transaction, std::string id);

  /// Whether nobody but this user is enabled and directly ADMIN. Only in a change that is alone.
  static async::Task<Expected<bool>> is_last_admin(postgres::Transaction& transaction, std::string id);

  /// Ends all tokens and sessions but `kept` (a hash), which counts as begun anew.
  static async::Task<Expected<void>> end_access(postgres::Transaction& transaction, std::string id, Instant now,
                                                std::string kept = {});
};

}  // namespace cameleer::server
