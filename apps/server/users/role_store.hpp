#pragma once
#include "server/users/directory.hpp"

namespace cameleer::server {

struct RoleDetails {
  std::string id, name, description;
  bool system = false;
  rbac::Permissions permissions;
  Instant created_at{};
};

class RoleStore {
 public:
  explicit RoleStore(postgres::Pool& pool) : pool_(pool) {}

  async::Task<Expected<std::vector<RoleDetails>>> list();
  /// By id or name; a system role comes with the permissions that the program gives it.
  template <class Connection>
  static async::Task<Expected<std::optional<RoleDetails>>> find(Connection& connection, std::string id_or_name);

  static async::Task<Expected<std::size_t>> count(postgres::Transaction& transaction);
  static async::Task<Expected<void>> insert(postgres::Transaction& transaction, RoleDetails role);
  static async::Task<Expected<void>> update(postgres::Transaction& transaction, RoleDetails role);
  static async::Task<Expected<void>> remove(postgres::Transaction& transaction, std::string id);

 private:
  postgres::Pool& pool_;
};

}  // namespace cameleer::server
