#pragma once
#include <boost/json/parse.hpp>
#include <sstream>

#include "server/audit/audit_file.hpp"
#include "server/audit/audit_ledger.hpp"
#include "server/audit/audit_routes.hpp"
#include "services_on_loop.hpp"

namespace cameleer::test {

/// Keeps what a stream writes.
struct KeptBody : web::BodyWriter {
  std::string text;
  async::Task<bool> write(std::string_view bytes) override {
    text += bytes;
    co_return true;
  }
  [[nodiscard]] bool closed() const override { return false; }
};

/// The services and the ledger over their rows, with its routes.
struct AuditFixture : ServicesOnLoop {
  AuditFixture() {
    server::add_audit_routes(audit_router, ledger);
    if (!audit_router.seal()) throw std::runtime_error("the routes of the audit log");
  }

  void record(std::string action, std::string target = "", std::string username = "ada") {
    auto done = run(audit->record({.actor = {.username = std::move(username)},
                                   .category = server::AuditCategory::app,
                                   .action = std::move(action),
                                   .target = std::move(target),
                                   .detail = {{"n", 1.5}, {"text", "grün \"x\""}}}));
    if (!done) throw std::runtime_error(done.error().message);
  }
  /// The answer of a route of the audit log; its body whole when it is streamed.
  web::Response ask(std::string path, std::vector<std::pair<std::string, std::string>> query = {}) {
    web::Request request;
    request.path = path;
    request.query = std::move(query);
    auto match = audit_router.find(web::Method::get, path);
    auto response = run(match.route->handler(request));
    if (response.stream) {
      KeptBody body;
      finish(io, response.stream(body));
      response.body = std::move(body.text);
    }
    return response;
  }
  std::string exported(std::vector<std::pair<std::string, std::string>> query = {}) {
    query.emplace_back("format", "ndjson");
    return ask("/api/v1/admin/audit/export", std::move(query)).body;
  }
  /// As somebody who may everything and does not want to be seen.
  void tamper(const std::string& sql) {
    cell("alter table audit_log disable trigger append_only");
    cell("alter table audit_seals disable trigger append_only");
    cell(sql);
  }
  std::string broken() {
    const auto found = run(ledger.verify()).value();
    return found.ok() ? "" : fmt::format("{}: {}", found.first_broken->position, found.first_broken->reason);
  }

  server::AuditKey key = server::audit_key_of(keys);
  server::AuditLedger ledger{*pool, key, [this] { return now; }};
  web::Router audit_router;
};

inline std::string verdict(const std::string& file, std::string public_key = "") {
  std::istringstream stream(file);
  auto verified = server::verify_audit_file(stream, std::move(public_key));
  return verified ? *verified : verified.error().message;
}

}  // namespace cameleer::test
