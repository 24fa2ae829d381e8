#include "users_on_loop.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace cameleer::test {

UsersOnLoop::UsersOnLoop() {
  make_admin();
  const Clock clock = [this] { return now; };
  const auto random = identity::system_random();
  users.emplace(*pool, workers, *auth, *audit, clock, random);
  roles.emplace(*pool, *auth, *audit, clock, random);
  groups.emplace(*pool, *auth, *audit, clock, random);
  assignments.emplace(*pool, *auth, *audit, clock);
  sessions.emplace(*pool, *auth, *audit, clock, std::chrono::minutes(8 * 60));
  router = web::Router();
  server::add_auth_routes(router, *auth, server::OriginRule("https://cameleer.example"),
                          {.version = "0.1.0", .base_path = "/"});
  server::add_user_routes(router, *users);
  server::add_assignment_routes(router, *assignments);
  server::add_session_routes(router, *sessions);
  server::add_role_routes(router, *roles);
  server::add_group_routes(router, *groups);
  if (auto sealed = router.seal(); !sealed) throw std::runtime_error(sealed.error().message);
  admin = token_of("admin");
}

std::string UsersOnLoop::Answer::text(std::string_view pointer) const {
  boost::system::error_code error;
  const auto path = pointer.starts_with('/') ? std::string(pointer) : "/" + std::string(pointer);
  const auto* found = body.find_pointer(path, error);
  if (found == nullptr) return "";
  return found->is_string() ? std::string(found->as_string()) : boost::json::serialize(*found);
}

UsersOnLoop::Answer UsersOnLoop::call(web::Method method, std::string path, std::string body, std::string bearer) {
  auto response = send(method, std::move(path), std::move(body), {{"Authorization", "Bearer " + bearer}});
  return {.status = response.status,
          .body = response.body.empty() ? boost::json::value() : boost::json::parse(response.body)};
}

UsersOnLoop::Answer UsersOnLoop::as_admin(web::Method method, std::string path, std::string body) {
  return call(method, "/api/v1/admin/" + std::move(path), std::move(body), admin);
}

std::string UsersOnLoop::make_user(const std::string& username) {
  const auto made = as_admin(web::Method::post, "users",
                             R"({"username":")" + username + R"(","password":")" + std::string(kPassword) + "\"}");
  if (made.status != 201) throw std::runtime_error(boost::json::serialize(made.body));
  return made.text("userId");
}

std::string UsersOnLoop::make_role(const std::string& name, const std::string& permissions) {
  const auto made =
      as_admin(web::Method::post, "roles", R"({"name":")" + name + R"(","permissions":)" + permissions + "}");
  if (made.status != 201) throw std::runtime_error(boost::json::serialize(made.body));
  return made.text("id");
}

std::string UsersOnLoop::make_group(const std::string& name, const std::string& parent, const std::string& given) {
  const auto parent_member = parent.empty() ? std::string() : R"("parentId":")" + parent + "\",";
  const auto made = as_admin(web::Method::post, "groups",
                             R"({"name":")" + name + "\"," + parent_member + R"("roles":)" + given + "}");
  if (made.status != 201) throw std::runtime_error(boost::json::serialize(made.body));
  return made.text("id");
}

std::string UsersOnLoop::token_of(const std::string& username) {
  auto pair = run(auth->issue_tokens(username, std::string(kPassword), "127.0.0.1"));
  if (!pair) throw std::runtime_error(pair.error().error.message);
  return pair->access;
}

bool UsersOnLoop::may(const std::string& username, const std::string& permission) {
  return as_admin(web::Method::get, "users/" + username + "/effective?permission=" + permission).text("allowed") ==
         "true";
}

std::string UsersOnLoop::names_of(const boost::json::value& items) {
  std::string names;
  for (const auto& item : items.as_array()) {
    if (!names.empty()) names += ",";
    names += item.is_string() ? std::string(item.as_string()) : std::string(item.at("name").as_string());
  }
  return names;
}

}  // namespace cameleer::test
