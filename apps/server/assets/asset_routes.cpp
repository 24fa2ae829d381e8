#include "server/assets/asset_routes.hpp"

#include <array>

namespace cameleer::server {
namespace {

/// The page is built for this base path; the real one takes its place.
constexpr std::string_view kBasePlaceholder = "/__cameleer_base__/";

constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kTypes{{
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".json", "application/json"},
    {".txt", "text/plain; charset=utf-8"},
}};

std::string_view type_of(std::string_view name) {
  for (const auto& [ending, type] : kTypes) {
    if (name.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

std::string with_base(std::string_view page, const std::string& base_path) {
  std::string text(page);
  for (std::size_t at = 0; (at = text.find(kBasePlaceholder, at)) != std::string::npos; at += base_path.size()) {
    text.replace(at, kBasePlaceholder.size(), base_path);
  }
  return text;
}

web::Response page_response(const std::string& page) {
  return {.content_type = "text/html; charset=utf-8",
          .body = page,
          .headers = {{"Content-Security-Policy", std::string(kPolicy)},
                      {"Cache-Control", "no-cache"},
                      {"Referrer-Policy", "same-origin"}}};
}

web::Response file_response(const embedded::File& file, const std::string& base_path) {
  const bool is_style = file.name.ends_with(".css");
  return {.content_type = std::string(type_of(file.name)),
          .body = is_style ? with_base(file.content, base_path) : std::string(file.content),
          .headers = {
              {"Cache-Control", file.name.starts_with("assets/") ? "public, max-age=31536000, immutable" : "no-cache"},
              {"Content-Security-Policy", std::string(kPolicy)}}};
}

bool is_reserved(std::string_view path) {
  return path.starts_with("/api/") || path == "/api" || path.starts_with("/health") || path.starts_with("/assets/") ||
         path.starts_with("/metrics");
}

const embedded::File* file_named(std::span<const embedded::File> files, std::string_view name) {
  const auto found =
      std::lower_bound(files.begin(), files.end(), name,
                       [](const embedded::File& file, std::string_view wanted) { return file.name < wanted; });
  return found != files.end() && found->name == name ? &*found : nullptr;
}

struct Site {
  std::span<const embedded::File> files;
  std::string base_path, page;
};

async::Task<web::Response> serve_file(std::shared_ptr<const Site> site, web::Request& request) {
  const auto name = std::string_view(request.path).substr(1);
  if (const auto* file = file_named(site->files, name); file && name != "index.html") {
    co_return file_response(*file, site->base_path);
  }
  if (is_reserved(request.path) || site->page.empty()) {
    co_return web::problem({ErrorCode::not_found, "There is nothing at this address."}, request.request_id);
  }
  co_return page_response(site->page);
}

async::Task<web::Response> serve_document(std::string_view document) {
  co_return web::Response::json(std::string(document));
}

}  // namespace

void add_asset_routes(web::Router& router, std::span<const embedded::File> files, const std::string& base_path) {
  const auto* index = file_named(files, "index.html");
  std::string page = index ? with_base(index->content, base_path) : std::string();
  const auto site = std::make_shared<const Site>(Site{files, base_path, std::move(page)});
  const auto serve = [site](web::Request& request) { return serve_file(site, request); };
  router.add({.pattern = "/", .access = {"public"}, .handler = serve});
  router.add({.pattern = "/{path...}", .access = {"public"}, .handler = serve});
}

void add_openapi_route(web::Router& router, std::string_view document) {
  router.add({.pattern = "/api/v1/openapi.json",
              .operation_id = "openapi",
              .access = {"public"},
              .handler = [document](web::Request&) { return serve_document(document); }});
}

}  // namespace cameleer::server
