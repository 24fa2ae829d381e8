#pragma once
#include <boost/json/value.hpp>

#include "server/users/group_routes.hpp"
#include "server/users/role_routes.hpp"
#include "server/users/user_routes.hpp"
#include "services_on_loop.hpp"

namespace cameleer::test {

/// Users, roles and groups over a schema of their own, with `admin`, who is ADMIN.
struct UsersOnLoop : ServicesOnLoop {
  UsersOnLoop();

  struct Answer {
    int status = 0;
    boost::json::value body;
    /// Text of a member, empty when it is not there: `code`, or `/roles/0/name`.
    [[nodiscard]] std::string text(std::string_view pointer) const;
  };
  Answer call(web::Method method, std::string path, std::string body, std::string bearer);
  /// As `admin`.
  Answer as_admin(web::Method method, std::string path, std::string body = {});

  /// A local user with `kPassword`; the id.
  std::string make_user(const std::string& username);
  std::string make_role(const std::string& name, const std::string& permissions);
  std::string make_group(const std::string& name, const std::string& parent, const std::string& roles);
  std::string token_of(const std::string& username);
  /// As the effective view says.
  bool may(const std::string& username, const std::string& permission);
  std::string names_of(const boost::json::value& items);

  std::optional<server::UserService> users;
  std::optional<server::RoleService> roles;
  std::optional<server::GroupService> groups;
  std::optional<server::AssignmentService> assignments;
  std::optional<server::SessionService> sessions;
  std::string admin;
};

/// Starts all, then runs them together.
template <class T>
std::vector<T> together(UsersOnLoop& services, std::vector<async::Task<T>> tasks) {
  std::vector<std::optional<T>> results(tasks.size());
  services.io.restart();
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    async::asio::co_spawn(services.io, std::move(tasks[i]), [&results, i](std::exception_ptr failure, T result) {
      if (failure) std::rethrow_exception(failure);
      results[i] = std::move(result);
    });
  }
  while (std::ranges::any_of(results, [](const auto& one) { return !one.has_value(); })) services.io.run_one();
  std::vector<T> done;
  for (auto& one : results) done.push_back(std::move(*one));
  return done;
}

}  // namespace cameleer::test
