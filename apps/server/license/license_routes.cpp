#include "server/license/license_routes.hpp"

#include <simdjson.h>

#include <boost/json/serialize.hpp>
#include <cameleer/web/service_routes.hpp>

#include "server/license/license_json.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr std::size_t kLicenseBody = 64 * 1024, kRevocationsBody = 2 * 1024 * 1024, kMaxDepth = 64;

web::Response answer(const json::object& body) {
  auto response = web::Response::json(json::serialize(body));
  response.headers.push_back({"Cache-Control", "no-store"});
  return response;
}

web::Response refuse(const LicenseFailure& failure, const web::Request& request) {
  if (!failure.reason) return web::problem(failure.error, request.request_id);
  json::object members;
  members["reason"] = name_of(*failure.reason);
  members["message"] = failure.error.message;
  return problem_with(failure.error, request.request_id, std::move(members));
}

/// The member `token`, which nobody ever sees again: no error quotes it.
Expected<std::string> token_in(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::object object;
  if (parser.allocate(std::max<std::size_t>(body.size(), 64), kMaxDepth) != simdjson::SUCCESS ||
      parser.parse(body.data(), body.size(), /*realloc_if_needed=*/true).get(root) != simdjson::SUCCESS ||
      root.get(object) != simdjson::SUCCESS) {
    return fail(ErrorCode::malformed_body, "The body must be a JSON object.");
  }
  std::optional<std::string> token;
  for (const auto member : object) {
    if (member.key != "token") continue;
    std::string_view text;
    if (token) return fail(ErrorCode::invalid_member, "/token: must be there once", "/token");
    if (member.value.get(text) != simdjson::SUCCESS) {
      return fail(ErrorCode::invalid_member, "/token: must be a string", "/token");
    }
    token.emplace(text);
  }
  if (!token || token->empty()) return fail(ErrorCode::invalid_member, "/token: is required", "/token");
  return std::move(*token);
}

async::Task<web::Response> get(LicenseService& license, web::Request& /*request*/) {
  co_return answer(json_of(license.view(), license.keys().trust()));
}

async::Task<web::Response> install(LicenseService& license, web::Request& request) {
  auto token = token_in(request.body);
  if (!token) co_return web::problem(token.error(), request.request_id);
  auto view = co_await license.install(std::move(*token), actor_of(request));
  if (!view) co_return refuse(view.error(), request);
  co_return answer(json_of(*view, license.keys().trust()));
}

async::Task<web::Response> remove(LicenseService& license, web::Request& request) {
  auto removed = co_await license.remove(actor_of(request));
  if (!removed) co_return web::problem(removed.error(), request.request_id);
  co_return web::Response::empty(204);
}

async::Task<web::Response> usage(LicenseService& license, web::Request& request) {
  auto counts = co_await license.counts();
  if (!counts) co_return web::problem(counts.error(), request.request_id);
  co_return answer(json_of_usage(*license.view().standing, *counts, license.now()));
}

async::Task<web::Response> preview(LicenseService& license, web::Request& request) {
  auto token = token_in(request.body);
  if (!token) co_return web::problem(token.error(), request.request_id);
  auto preview = co_await license.preview(std::move(*token));
  if (!preview) co_return web::problem(preview.error(), request.request_id);
  co_return answer(json_of(*preview));
}

async::Task<web::Response> list_keys(LicenseService& license, web::Request& /*request*/) {
  co_return answer(json_of(license.keys()));
}

async::Task<web::Response> install_revocations(LicenseService& license, web::Request& request) {
  auto token = token_in(request.body);
  if (!token) co_return web::problem(token.error(), request.request_id);
  auto list = co_await license.install_revocations(std::move(*token), actor_of(request));
  if (!list) co_return refuse(list.error(), request);
  json::object body;
  body["sequence"] = list->sequence;
  body["issuedAt"] = format_instant(list->issued_at);
  body["licenseIds"] = list->license_ids.size();
  co_return answer(body);
}

}  // namespace

void add_license_routes(web::Router& router, LicenseService& license) {
  constexpr auto kAccess = "manage_license";
  web::add_service_routes(router, license, {.body_bytes = kLicenseBody, .decoded_body_bytes = kLicenseBody},
                          {
                              {web::Method::get, "/api/v1/admin/license", "getLicense", kAccess, get},
                              {web::Method::post, "/api/v1/admin/license", "installLicense", kAccess, install},
                              {web::Method::del, "/api/v1/admin/license", "removeLicense", kAccess, remove},
                              {web::Method::get, "/api/v1/admin/license/usage", "getLicenseUsage", kAccess, usage},
                              {web::Method::post, "/api/v1/admin/license/preview", "previewLicense", kAccess, preview},
                              {web::Method::get, "/api/v1/admin/license/keys", "listLicenseKeys", kAccess, list_keys},
                              {web::Method::post, "/api/v1/admin/license/revocations", "installLicenseRevocations",
                               kAccess, install_revocations, kRevocationsBody},
                          });
}

}  // namespace cameleer::server
