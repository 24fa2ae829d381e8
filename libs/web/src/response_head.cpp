#include "response_head.hpp"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/status.hpp>
#include <iterator>

namespace cameleer::web {
namespace {

bool is_clean(std::string_view text) {
  return std::ranges::none_of(text,
                              [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void append_status_line(std::string& out, int status) {
  if (status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
    return;
  }
  const std::string_view reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("HTTP/1.1 {} {}\r\n"), status, reason);
}

}  // namespace

bool append_head(std::string& out, const Response& response, const ResponseFrame& frame) {
  bool cache_said = false;
  for (const auto& [name, value] : response.headers) {
    if (!is_clean(name) || !is_clean(value)) return false;
    cache_said = cache_said || boost::beast::iequals(name, "Cache-Control");
  }
  if (!is_clean(response.content_type)) return false;

  append_status_line(out, response.status);
  append_field(out, "Date", frame.date);
  append_field(out, "X-Request-Id", frame.request_id);
  out += "X-Content-Type-Options: nosniff\r\n";
  if (!cache_said) out += "Cache-Control: no-store\r\n";
  if (!response.content_type.empty()) append_field(out, "Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) append_field(out, name, value);
  if (response.stream && !frame.bodyless) {
    if (!frame.http_1_0) out += "Transfer-Encoding: chunked\r\n";
  } else if (!response.stream && !has_no_body(response.status)) {
    fmt::format_to(std::back_inserter(out), FMT_COMPILE("Content-Length: {}\r\n"), response.body.size());
  }
  if (frame.close) out += "Connection: close\r\n";
  out += "\r\n";
  return true;
}

}  // namespace cameleer::web
