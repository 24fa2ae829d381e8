#include "server/audit/audit_text.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace cameleer::server {
namespace {

std::string quoted(std::string_view text) {
  return boost::json::serialize(boost::json::string(text));
}

std::string quoted_or_null(const std::optional<std::string>& text) {
  return text ? quoted(*text) : "null";
}

std::string cell(std::string_view text) {
  std::string result = "\"";
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) result += '\'';
  for (const char c : text) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + '"';
}

}  // namespace

std::string ndjson_line(const SealedRow& one) {
  const auto& row = one.row;
  const bool sealed = one.position > 0;
  const auto hash = [&](const std::string& bytes) { return sealed ? quoted(hexadecimal(bytes)) : "null"; };
  return fmt::format(
      R"({{"position":{},"id":{},"timestamp":{},"username":{},"userId":{},"action":{},"category":{},"target":{},)"
      R"("result":{},"detail":{},"remoteAddress":{},"requestId":{},"previousHash":{},"hash":{}}})",
      sealed ? std::to_string(one.position) : "null", row.id, quoted(row.timestamp), quoted(row.username),
      quoted_or_null(row.user_id), quoted(row.action), quoted(row.category), quoted(row.target), quoted(row.result),
      row.detail, quoted_or_null(row.remote_address), quoted_or_null(row.request_id), hash(one.previous_hash),
      hash(one.hash));
}

std::string head_as_json(const AuditHead& head, std::string_view public_key) {
  return fmt::format(R"({{"position":{},"hash":"{}","signedAt":"{}","keyId":{},"publicKey":{},"signature":{}}})",
                     head.position, hexadecimal(head.hash), format_instant(head.signed_at), quoted(head.key_id),
                     quoted(public_key), quoted(head.signature));
}

std::string ndjson_end(std::int64_t rows, std::int64_t unsealed, const std::optional<AuditHead>& head) {
  std::string signed_end = "null";
  if (head) {
    signed_end = fmt::format(R"({{"position":{},"hash":"{}","signedAt":"{}","keyId":{},"signature":{}}})",
                             head->position, hexadecimal(head->hash), format_instant(head->signed_at),
                             quoted(head->key_id), quoted(head->signature));
  }
  return fmt::format(R"({{"end":{{"rows":{},"unsealed":{},"head":{}}}}})", rows, unsealed, signed_end);
}

std::string csv_header() {
  return "position,id,timestamp,username,userId,action,category,target,result,detail,remoteAddress,requestId\r\n";
}

std::string csv_line(const SealedRow& one) {
  const auto& row = one.row;
  std::string line = one.position > 0 ? std::to_string(one.position) : "";
  line += "," + row.id;
  for (const auto& text : {row.timestamp, row.username, row.user_id.value_or(""), row.action, row.category, row.target,
                           row.result, row.detail, row.remote_address.value_or(""), row.request_id.value_or("")}) {
    line += "," + cell(text);
  }
  return line + "\r\n";
}

}  // namespace cameleer::server
