#include "server/audit/audit_routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cameleer/web/service_routes.hpp>
#include <stdexcept>

#include "server/audit/audit_parameters.hpp"
#include "server/audit/audit_text.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr std::size_t kBatch = 200;
// A chain of millions of rows takes its time.
constexpr web::Limits kLimits{.body_bytes = 1024, .decoded_body_bytes = 1024, .handling = std::chrono::minutes(5)};

json::value text_or_null(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}

json::object json_of(const SealedRow& one) {
  const auto& row = one.row;
  json::object item;
  item["id"] = row.id;
  item["timestamp"] = row.timestamp;
  item["username"] = row.username;
  item["userId"] = text_or_null(row.user_id);
  item["action"] = row.action;
  item["category"] = row.category;
  item["target"] = row.target;
  item["result"] = row.result;
  item["detail"] = json::parse(row.detail);
  item["remoteAddress"] = text_or_null(row.remote_address);
  item["requestId"] = text_or_null(row.request_id);
  item["position"] = one.position > 0 ? json::value(one.position) : json::value(nullptr);
  return item;
}

web::Response uncached(web::Response response) {
  response.headers.push_back({"Cache-Control", "no-store"});
  return response;
}

async::Task<web::Response> page(AuditLedger& ledger, web::Request& request) {
  auto query = read_audit_query(request, AuditQueryKind::page);
  if (!query) co_return web::problem(query.error(), request.request_id);
  auto rows = co_await ledger.rows().page(std::move(query->filter), query->before, query->limit + 1);
  if (!rows) co_return web::problem(rows.error(), request.request_id);
  json::object body;
  if (rows->size() > query->limit) {
    rows->pop_back();
    body["nextCursor"] = rows->back().row.id;
  }
  json::array items;
  for (const auto& row : *rows) items.push_back(json_of(row));
  body["items"] = std::move(items);
  co_return uncached(web::Response::json(json::serialize(body)));
}

/// An export under way. In batches, so that it takes the memory of one.
struct Export {
  AuditLedger& ledger;
  AuditFilter filter;
  bool csv;
  std::int64_t rows = 0, unsealed = 0, position = 0, id = 0;
  std::string hash;
};

/// The next rows as text; empty: there are no more.
async::Task<Expected<std::string>> next_part(Export& state) {
  auto& rows = state.ledger.rows();
  Expected<std::vector<SealedRow>> batch;
  if (state.unsealed == 0) batch = co_await rows.sealed_after(state.filter, state.position, kBatch);
  if (!batch) co_return std::unexpected(batch.error());
  if (batch->empty()) {
    batch = co_await rows.rest_after(state.filter, state.position, state.id, kBatch);
    if (!batch) co_return std::unexpected(batch.error());
  }
  std::string text;
  for (const auto& row : *batch) {
    text += state.csv ? csv_line(row) : ndjson_line(row) + '\n';
    ++state.rows;
    if (row.position > 0) {
      state.position = row.position;
      state.hash = row.hash;
    } else {
      state.id = std::strtoll(row.row.id.c_str(), nullptr, 10);
      ++state.unsealed;
    }
  }
  co_return text;
}

async::Task<> write_export(std::shared_ptr<Export> state, std::string first, web::BodyWriter& writer) {
  auto part = std::move(first);
  if (state->csv) part.insert(0, csv_header());
  while (!part.empty()) {
    if (!co_await writer.write(part)) co_return;
    auto next = co_await next_part(*state);
    // Nobody must take half an export for a whole one: the connection breaks.
    if (!next) throw std::runtime_error("an export of the audit log ended early: " + next.error().message);
    part = std::move(*next);
  }
  if (state->csv) co_return;
  std::optional<AuditHead> head;
  if (state->position > 0) head = state->ledger.signed_end(state->position, state->hash);
  co_await writer.write(ndjson_end(state->rows, state->unsealed, head) + '\n');
}

async::Task<web::Response> export_rows(AuditLedger& ledger, web::Request& request) {
  auto query = read_audit_query(request, AuditQueryKind::file);
  if (!query) co_return web::problem(query.error(), request.request_id);
  auto state = std::make_shared<Export>(
      Export{.ledger = ledger, .filter = std::move(query->filter), .csv = query->csv, .hash = {}});
  auto first = co_await next_part(*state);
  if (!first) co_return web::problem(first.error(), request.request_id);
  web::Response response;
  response.content_type = query->csv ? "text/csv; charset=utf-8" : "application/x-ndjson";
  response.headers.push_back({"Content-Disposition", fmt::format("attachment; filename=\"cameleer-audit.{}\"",
                                                                 query->csv ? "csv" : "ndjson")});
  response.stream = [state, text = std::move(*first)](web::BodyWriter& writer) {
    return write_export(state, text, writer);
  };
  co_return uncached(std::move(response));
}

async::Task<web::Response> verify(AuditLedger& ledger, web::Request& request) {
  auto found = co_await ledger.verify();
  if (!found) co_return web::problem(found.error(), request.request_id);
  json::object body;
  body["ok"] = found->ok();
  body["sealed"] = found->sealed;
  body["unsealed"] = found->unsealed;
  if (found->first_broken) {
    body["firstBroken"] = {{"position", found->first_broken->position}, {"reason", found->first_broken->reason}};
  }
  if (found->head) body["head"] = json::parse(head_as_json(*found->head, ledger.key().public_key));
  co_return uncached(web::Response::json(json::serialize(body)));
}

}  // namespace

void add_audit_routes(web::Router& router, AuditLedger& ledger) {
  web::add_service_routes(
      router, ledger, kLimits,
      {
          {web::Method::get, "/api/v1/admin/audit", "searchAudit", "view_audit", page},
          {web::Method::get, "/api/v1/admin/audit/export", "exportAudit", "view_audit", export_rows},
          {web::Method::get, "/api/v1/admin/audit/verify", "verifyAudit", "view_audit", verify},
      });
}

}  // namespace cameleer::server
