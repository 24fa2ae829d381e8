#pragma once
#include <boost/json/object.hpp>

#include "server/users/assignment_service.hpp"
#include "server/users/session_service.hpp"
#include "server/users/user_service.hpp"

/// Users as the REST API shows them: without password and claims.
namespace cameleer::server {

boost::json::object json_of(const Account& account);
/// With the direct and managed roles and groups.
boost::json::object json_of(const UserDetails& details);
boost::json::object json_of(const SessionDetails& session);
/// Each permission with all ways by which it comes; `only`: that one, and whether the user has it.
boost::json::object json_of(const EffectiveView& view, std::optional<rbac::Permission> only);

}  // namespace cameleer::server
