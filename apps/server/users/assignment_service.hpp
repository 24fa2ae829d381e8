#pragma once
#include "server/auth/auth_service.hpp"
#include "server/users/account_store.hpp"

namespace cameleer::server {

/// What a user may do, and by which ways.
struct EffectiveView {
  Account account;
  rbac::Effective effective;
  rbac::Directory directory;
};

/// Direct assignments of roles and groups to users; those of claim rules are never touched. Giving what is given, or
/// taking what is not, is no error and changes nothing. Changes count at once here, within 5 s in other processes. I/O
/// thread only.
class AssignmentService {
 public:
  AssignmentService(postgres::Pool& pool, AuthService& auth, AuditService& audit, Clock clock)
      : pool_(pool), auth_(auth), audit_(audit), clock_(std::move(clock)) {}

  enum class Kind : std::uint8_t { role, group };
  struct Target {
    Kind kind = Kind::role;
    std::string id_or_name;
  };
  /// `forbidden`: it would give a permission that the caller lacks.
  async::Task<Expected<void>> give(Caller caller, std::string user, Target target);
  /// `conflict`: the role ADMIN of the last who has it directly.
  async::Task<Expected<void>> take(Caller caller, std::string user, Target target);

  async::Task<Expected<EffectiveView>> effective(std::string user);

 private:
  postgres::Pool& pool_;
  AuthService& auth_;
  AuditService& audit_;
  Clock clock_;
};

}  // namespace cameleer::server
