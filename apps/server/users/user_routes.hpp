#pragma once
#include <cameleer/web/router.hpp>

#include "server/users/assignment_service.hpp"
#include "server/users/session_service.hpp"
#include "server/users/user_service.hpp"

namespace cameleer::server {

/// Users, their passwords, and one's own.
void add_user_routes(web::Router& router, UserService& users);
/// Direct roles and groups of users, and why somebody can do something.
void add_assignment_routes(web::Router& router, AssignmentService& assignments);
/// Sessions of users, and one's own.
void add_session_routes(web::Router& router, SessionService& sessions);

}  // namespace cameleer::server
