#pragma once
#include <cameleer/web/message.hpp>

namespace cameleer::web {

/// What the server knows beside the handler's answer.
struct ResponseFrame {
  std::string_view date;  ///< value of Date
  std::string_view request_id;
  bool close = false;
  bool http_1_0 = false;
  bool bodyless = false;  ///< answer to HEAD: the length is said, nothing follows
};

/// Appends status line and headers to `out`. A streamed body is chunked, or ends with the connection for HTTP/1.0.
/// False: a header of the handler contains a line break or a control character; nothing was appended.
bool append_head(std::string& out, const Response& response, const ResponseFrame& frame);

/// True when HTTP allows no body with this status (RFC 9110, 6.4.1).
constexpr bool has_no_body(int status) {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace cameleer::web
