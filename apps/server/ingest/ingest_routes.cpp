#include "server/ingest/ingest_routes.hpp"

#include <algorithm>
#include <boost/json.hpp>

namespace cameleer::server {
namespace {

bool is_json(std::string_view content_type) {
  auto media_type = content_type.substr(0, content_type.find(';'));
  while (!media_type.empty() && (media_type.back() == ' ' || media_type.back() == '\t')) media_type.remove_suffix(1);
  constexpr std::string_view json = "application/json";
  return std::equal(media_type.begin(), media_type.end(), json.begin(), json.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b; });
}

constexpr const char* kKeyHeader = "Idempotency-Key";
constexpr std::size_t kKeyCharacters = 128;

Expected<void> check_headers(const web::Request& request) {
  for (const auto* name : {"X-Protocol-Version", "X-Cameleer-Protocol-Version"}) {
    const auto version = request.header(name);
    if (!version.empty() && version != "1") {
      return fail(ErrorCode::unsupported_version, "This server speaks protocol version 1.", name);
    }
  }
  if (!is_json(request.header("Content-Type"))) {
    return fail(ErrorCode::unsupported_media_type, "The content type must be application/json.", "Content-Type");
  }
  if (request.header(kKeyHeader).size() > kKeyCharacters) {
    return fail(ErrorCode::invalid_parameter, "The Idempotency-Key must have at most 128 characters.", kKeyHeader);
  }
  return {};
}

web::Response refusal(const Error& error, std::string_view request_id) {
  auto response = web::problem(error, request_id);
  const bool told = std::any_of(response.headers.begin(), response.headers.end(),
                                [](const auto& header) { return header.name == "Retry-After"; });
  if (response.status == 503 && !told) response.headers.push_back({"Retry-After", "2"});
  return response;
}

void tell(boost::json::object& body, const char* member, const std::vector<Rejection>& elements) {
  if (elements.empty()) return;
  boost::json::array list;
  for (const auto& [index, reason] : elements) {
    list.push_back(
        boost::json::object{{"index", index}, {"reason", boost::json::string_view(reason.data(), reason.size())}});
  }
  body[member] = std::move(list);
}

web::Response accepted(const IngestResult& result) {
  boost::json::object body{{"accepted", result.accepted}};
  tell(body, "rejected", result.rejected);
  tell(body, "flagged", result.flagged);
  return web::Response::json(boost::json::serialize(body), 202);
}

async::Task<web::Response> ingest(IngestService* service, DataKind kind, web::Request& request) {
  if (auto checked = check_headers(request); !checked) co_return refusal(checked.error(), request.request_id);
  std::string key(request.header(kKeyHeader));
  auto result = co_await service->ingest(kind, principal_of(request), std::move(request.body), std::move(key));
  if (!result) co_return refusal(result.error(), request.request_id);
  co_return accepted(*result);
}

}  // namespace

void add_ingest_routes(web::Router& router, IngestService& service, IngestLimits limits) {
  for (const auto& info : data_kinds()) {
    router.add(
        {.method = web::Method::post,
         .pattern = "/api/v1/data/" + std::string(info.name),
         .operation_id = std::string(info.operation_id),
         .access = {"agent"},
         .limits = {.body_bytes = limits.body_bytes, .decoded_body_bytes = limits.decoded_body_bytes},
         .handler = [&service, kind = info.kind](web::Request& request) { return ingest(&service, kind, request); }});
  }
}

}  // namespace cameleer::server
