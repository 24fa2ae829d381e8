#pragma once
#include <cameleer/async/worker_pool.hpp>
#include <functional>

#include "server/audit/audit_service.hpp"

namespace cameleer::server {

/// Break-glass: a local user with the role ADMIN and a new random password, whatever was there before. It is `admin`,
/// or `local-admin` when somebody of the OpenID provider has that name. A user who was there is enabled and unlocked,
/// and loses all sessions and tokens. The name.
///
/// `keep` gets the password before anything is committed. The parameters outlive it; I/O thread only.
async::Task<Expected<std::string>> recover_admin(postgres::Pool& pool, AuditService& audit, async::WorkerPool& workers,
                                                 Clock clock, Random random,
                                                 std::function<Expected<void>(const std::string& password)> keep);

}  // namespace cameleer::server
