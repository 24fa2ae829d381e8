#pragma once
#include "server/users/directory.hpp"

namespace cameleer::server {

struct GroupDetails {
  rbac::Group group;
  std::string description;
  std::int64_t members = 0;  ///< direct ones and those of rules, not those of groups below
  Instant created_at{};
};

class GroupStore {
 public:
  /// In the order of their names; `id`: that one only.
  template <class Connection>
  static async::Task<Expected<std::vector<GroupDetails>>> list(Connection& connection, std::optional<std::string> id);

  static async::Task<Expected<void>> insert(postgres::Transaction& transaction, GroupDetails group);
  /// Name, description, parent and roles.
  static async::Task<Expected<void>> update(postgres::Transaction& transaction, GroupDetails group);
  static async::Task<Expected<void>> remove(postgres::Transaction& transaction, std::string id);
};

}  // namespace cameleer::server
