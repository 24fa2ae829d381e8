#include "server/users/user_routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cameleer/identity/encoding.hpp>
#include <cameleer/web/service_routes.hpp>
#include <charconv>

#include "server/auth/control_body.hpp"
#include "server/users/user_json.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr web::Limits kLimits{.body_bytes = 16 * 1024, .decoded_body_bytes = 16 * 1024};
constexpr std::size_t kLongestName = 256, kLongestEmail = 320, kLongestPassword = 1'024, kMostOfPage = 500;

web::Response answer(const Expected<UserDetails>& user, const web::Request& request, int status) {
  if (!user) return web::problem(user.error(), request.request_id);
  return web::Response::json(json::serialize(json_of(*user)), status);
}

web::Response answer(const Expected<void>& done, const web::Request& request) {
  return done ? web::Response::empty(204) : web::problem(done.error(), request.request_id);
}

std::string user_in(const web::Request& request) {
  return std::string(request.path_parameter("userId"));
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

void check_email(ControlBody& body, const std::optional<std::string>& email) {
  if (!email) return;
  const auto at = email->find('@');
  const bool plain = email->find_first_of(" \t\r\n<>\",;") == std::string::npos && !has_control_character(*email);
  if (at == 0 || at == std::string::npos || at + 1 == email->size() || !plain) {
    body.refuse("email", "must be an e-mail address");
  }
}

Expected<AccountStore::Page> page_in(const web::Request& request) {
  AccountStore::Page page;
  page.search = request.query_value("q").value_or("");
  if (page.search.size() > kLongestName) {
    return fail(ErrorCode::invalid_parameter, fmt::format("q must have at most {} bytes.", kLongestName), "q");
  }
  if (const auto limit = request.query_value("limit")) {
    const auto* end = limit->data() + limit->size();
    const auto [stopped, error] = std::from_chars(limit->data(), end, page.limit);
    if (error != std::errc{} || stopped != end || page.limit < 1 || page.limit > kMostOfPage) {
      return fail(ErrorCode::invalid_parameter, fmt::format("limit must be a number from 1 to {}.", kMostOfPage),
                  "limit");
    }
  }
  if (const auto cursor = request.query_value("cursor")) {
    auto after = identity::decode_base64url(*cursor);
    if (!after || after->size() > 2 * kLongestName) {
      return fail(ErrorCode::invalid_parameter, "cursor must come from an answer of this operation.", "cursor");
    }
    page.after = std::move(*after);
  }
  return page;
}

async::Task<web::Response> list(UserService& users, web::Request& request) {
  auto page = page_in(request);
  if (!page) co_return web::problem(page.error(), request.request_id);
  const auto limit = page->limit++;
  auto accounts = co_await users.list(std::move(*page));
  if (!accounts) co_return web::problem(accounts.error(), request.request_id);
  json::object body;
  if (accounts->size() > limit) {
    accounts->resize(limit);
    body["nextCursor"] = identity::base64url(accounts->back().sort_key);
  }
  json::array items;
  for (const auto& account : *accounts) items.push_back(json_of(account));
  body["items"] = std::move(items);
  co_return web::Response::json(json::serialize(body));
}

async::Task<web::Response> get(UserService& users, web::Request& request) {
  co_return answer(co_await users.find(user_in(request)), request, 200);
}

async::Task<web::Response> create(UserService& users, web::Request& request) {
  ControlBody body(request);
  NewUser wanted;
  wanted.username = body.text("username", 1, kLongestName);
  wanted.display_name = body.optional_text("displayName", 1, kLongestName).value_or(wanted.username);
  wanted.email = body.optional_text("email", 3, kLongestEmail);
  wanted.password = body.text("password", 1, kLongestPassword);
  if (has_control_character(wanted.username) || wanted.username.starts_with(' ') || wanted.username.ends_with(' ')) {
    body.refuse("username", "must have no control character and no space at its ends");
  }
  check_email(body, wanted.email);
  if (body.failure()) co_return web::problem(*body.failure(), request.request_id);
  auto user = co_await users.create(caller_of(request), std::move(wanted));
  if (!user) co_return problem_of(users.caps(), user.error(), request.request_id);
  co_return answer(user, request, 201);
}

async::Task<web::Response> update(UserService& users, web::Request& request) {
  ControlBody body(request);
  UserChange wanted;
  wanted.display_name = body.optional_text("displayName", 1, kLongestName);
  if (body.has("email")) {
    wanted.email = body.optional_text("email", 3, kLongestEmail);
    check_email(body, *wanted.email);
  }
  wanted.enabled = body.optional_boolean("enabled");
  if (body.failure()) co_return web::problem(*body.failure(), request.request_id);
  co_return answer(co_await users.update(caller_of(request), user_in(request), std::move(wanted)), request, 200);
}

async::Task<web::Response> remove(UserService& users, web::Request& request) {
  co_return answer(co_await users.remove(caller_of(request), user_in(request)), request);
}

async::Task<web::Response> set_password(UserService& users, web::Request& request) {
  ControlBody body(request);
  auto password = body.text("password", 1, kLongestPassword);
  if (body.failure()) co_return web::problem(*body.failure(), request.request_id);
  co_return answer(co_await users.set_password(caller_of(request), user_in(request), std::move(password)), request);
}

async::Task<web::Response> change_password(UserService& users, web::Request& request) {
  ControlBody body(request);
  auto current = body.text("currentPassword", 1, kLongestPassword);
  auto wanted = body.text("newPassword", 1, kLongestPassword);
  if (body.failure()) co_return web::problem(*body.failure(), request.request_id);
  co_return answer(co_await users.change_password(caller_of(request), std::move(current), std::move(wanted)), request);
}

}  // namespace

void add_user_routes(web::Router& router, UserService& users) {
  web::add_service_routes(
      router, users, kLimits,
      {
          {web::Method::get, "/api/v1/admin/users", "listUsers", "manage_users", list},
          {web::Method::post, "/api/v1/admin/users", "createUser", "manage_users", create},
          {web::Method::get, "/api/v1/admin/users/{userId}", "getUser", "manage_users", get},
          {web::Method::put, "/api/v1/admin/users/{userId}", "updateUser", "manage_users", update},
          {web::Method::del, "/api/v1/admin/users/{userId}", "deleteUser", "manage_users", remove},
          {web::Method::put, "/api/v1/admin/users/{userId}/password", "setPassword", "manage_users", set_password},
          {web::Method::post, "/api/v1/auth/password", "changePassword", "signed_in", change_password},
      });
}

}  // namespace cameleer::server
