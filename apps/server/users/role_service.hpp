#pragma once
#include "server/auth/auth_service.hpp"
#include "server/users/role_store.hpp"

namespace cameleer::server {

/// What a role shall be; what is absent stays as it is.
struct RoleChange {
  std::optional<std::string> name, description;
  std::optional<std::vector<std::string>> permissions;
};

/// Roles: VIEWER, OPERATOR and ADMIN, which nobody can change (`conflict`), and those that administrators make. AGENT
/// is for machines and can be neither made nor given. Changes count at once here, within 5 s in other processes. I/O
/// thread only.
class RoleService {
 public:
  RoleService(postgres::Pool& pool, AuthService& auth, AuditService& audit, Clock clock, Random random)
      : pool_(pool), store_(pool), auth_(auth), audit_(audit), clock_(std::move(clock)), random_(std::move(random)) {}

  async::Task<Expected<std::vector<RoleDetails>>> list();
  async::Task<Expected<RoleDetails>> find(std::string id_or_name);
  /// `invalid_member`: the name or a permission; `conflict`: the name is taken; `forbidden`: a permission that the
  /// caller lacks.
  async::Task<Expected<RoleDetails>> create(Caller caller, RoleChange wanted);
  async::Task<Expected<RoleDetails>> update(Caller caller, std::string id_or_name, RoleChange wanted);
  /// Also takes it from all users and groups.
  async::Task<Expected<void>> remove(Caller caller, std::string id_or_name);

 private:
  async::Task<Expected<RoleDetails>> changeable(postgres::Transaction& transaction, std::string id_or_name);

  postgres::Pool& pool_;
  RoleStore store_;
  AuthService& auth_;
  AuditService& audit_;
  Clock clock_;
  Random random_;
};

}  // namespace cameleer::server
