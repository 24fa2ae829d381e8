#pragma once
#include "server/auth/auth_service.hpp"
#include "server/users/group_store.hpp"

namespace cameleer::server {

/// What a group shall be; what is absent stays as it is. Parent and roles by id or name.
struct GroupChange {
  std::optional<std::string> name, description;
  std::optional<std::optional<std::string>> parent;  ///< an empty inner one: none
  std::optional<std::vector<std::string>> roles;
};

/// Groups of users, which nest: a member has the roles of its group and of all that group's ancestors. Changes count at
/// once here, within 5 s in other processes. I/O thread only.
class GroupService {
 public:
  GroupService(postgres::Pool& pool, AuthService& auth, AuditService& audit, Clock clock, Random random)
      : pool_(pool), auth_(auth), audit_(audit), clock_(std::move(clock)), random_(std::move(random)) {}

  struct Listed {
    std::vector<GroupDetails> groups;
    rbac::Directory directory;
  };
  async::Task<Expected<Listed>> list();
  /// A single one.
  async::Task<Expected<Listed>> find(std::string id_or_name);
  /// `conflict`: the name is taken, or the group would be its own ancestor; `forbidden`: its members would get what the
  /// caller lacks.
  async::Task<Expected<Listed>> create(Caller caller, GroupChange wanted);
  async::Task<Expected<Listed>> update(Caller caller, std::string id_or_name, GroupChange wanted);
  /// `given`: the group gets or loses a single role. Neither is told apart from what was so before.
  async::Task<Expected<void>> put_role(Caller caller, std::string id_or_name, std::string role, bool given);
  /// `conflict` while groups are below it.
  async::Task<Expected<void>> remove(Caller caller, std::string id_or_name);

 private:
  async::Task<Expected<void>> store(AccessTransaction transaction, const Caller& caller, rbac::Directory& directory,
                                    GroupDetails before, GroupDetails after);

  postgres::Pool& pool_;
  AuthService& auth_;
  AuditService& audit_;
  Clock clock_;
  Random random_;
};

}  // namespace cameleer::server
