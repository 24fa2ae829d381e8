#include "http_response.hpp"

#include <fmt/format.h>

#include <boost/beast/http/status.hpp>

namespace cameleer::engine {

void Response::set(std::string_view name, std::string_view value) {
  headers_.append(name).append(": ");
  for (const char c : value) {
    if (c != '\r' && c != '\n' && c != '\0') headers_.push_back(c);
  }
  headers_.append("\r\n");
}

std::string Response::head(int status, std::string_view framing) const {
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  return fmt::format("HTTP/1.1 {} {}\r\nX-ClickHouse-Server-Display-Name: cameleer-clickhouse\r\n{}{}{}\r\n", status,
                     std::string_view(reason.data(), reason.size()), headers_, framing,
                     keep_ ? "Connection: Keep-Alive\r\nKeep-Alive: timeout=60\r\n" : "Connection: Close\r\n");
}

bool Response::write(std::string_view bytes) {
  if (!failed_ && !socket_.write(bytes, write_timeout)) failed_ = true;
  return !failed_;
}

bool Response::send(int status, std::string_view body, bool head_only) {
  started_ = true;
  std::string bytes = head(status, fmt::format("Content-Length: {}\r\n", body.size()));
  if (!head_only) bytes.append(body);
  return write(bytes);
}

bool Response::begin(int status) {
  started_ = true;
  return write(head(status, chunked_ ? "Transfer-Encoding: chunked\r\n" : ""));
}

bool Response::chunk(std::string_view bytes) {
  if (bytes.empty()) return !failed_;
  if (!chunked_) return write(bytes);
  return write(fmt::format("{:x}\r\n", bytes.size())) && write(bytes) && write("\r\n");
}

bool Response::finish() {
  return !chunked_ || write("0\r\n\r\n");
}

void Response::cut() {
  keep_ = false;
}

}  // namespace cameleer::engine
