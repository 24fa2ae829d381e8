#include <boost/beast/core/string.hpp>
#include <boost/json.hpp>
#include <cameleer/web/message.hpp>

namespace cameleer::web {

std::string_view name_of(Method method) {
  static constexpr std::string_view kNames[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  return kNames[static_cast<std::size_t>(method)];
}

std::string_view Request::header(std::string_view name) const {
  for (const auto& header : headers) {
    if (boost::beast::iequals(header.name, name)) return header.value;
  }
  return {};
}

std::optional<std::string_view> Request::query_value(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Request::query_values(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : query) {
    if (key == name) values.emplace_back(value);
  }
  return values;
}

std::string_view Request::path_parameter(std::string_view name) const {
  for (const auto& [key, value] : path_parameters) {
    if (key == name) return value;
  }
  return {};
}

Response Response::json(std::string body, int status) {
  return {status, "application/json", std::move(body)};
}

Response Response::empty(int status) {
  return {status, {}, {}};
}

Response problem(const Error& error, std::string_view request_id, int status) {
  const auto& info = info_of(error.code);
  if (status == 0) status = info.http_status;
  boost::json::object document{
      {"type", "about:blank"}, {"title", info.meaning}, {"status", status}, {"code", info.name}};
  if (!error.message.empty()) document["detail"] = error.message;
  if (!error.member.empty()) document["member"] = error.member;
  if (!request_id.empty()) document["requestId"] = request_id;
  return {status, "application/problem+json", boost::json::serialize(document)};
}

}  // namespace cameleer::web
