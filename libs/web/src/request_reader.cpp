#include "request_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

#include "target.hpp"

namespace cameleer::web {
namespace {

namespace http = boost::beast::http;

/// True when every byte is visible ASCII, space, tab or part of a line end. Without branches, so that it vectorises.
bool all_allowed_in_head(std::string_view bytes) {
  unsigned bad = 0;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    bad |= static_cast<unsigned>(static_cast<unsigned char>(byte - 0x20) > 0x5e) & static_cast<unsigned>(byte != '\r') &
           static_cast<unsigned>(byte != '\n') & static_cast<unsigned>(byte != '\t');
  }
  return bad == 0;
}

/// Line ends are CRLF and no line starts with white space (obs-fold, RFC 9112, 5.2). `head` ends with CRLF CRLF.
Checked<void> check_lines(std::string_view head) {
  for (std::size_t at = 0; at < head.size();) {
    const auto end = head.find('\n', at);
    if (end == at || head[end - 1] != '\r') return malformed("A line of the header section does not end with CRLF.");
    if (std::ranges::find(head.begin() + static_cast<std::ptrdiff_t>(at),
                          head.begin() + static_cast<std::ptrdiff_t>(end - 1),
                          '\r') != head.begin() + static_cast<std::ptrdiff_t>(end - 1)) {
      return malformed("The header section contains a carriage return that ends no line.");
    }
    if (head[at] == ' ' || head[at] == '\t') return malformed("A header is continued on a second line (obs-fold).");
    at = end + 1;
  }
  return {};
}

std::optional<Method> method_of(std::string_view name) {
  for (const auto method :
       {Method::get, Method::post, Method::put, Method::head, Method::patch, Method::del, Method::options}) {
    if (name_of(method) == name) return method;
  }
  return std::nullopt;
}

bool is_host(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._~:[]%").find(c) != std::string_view::npos;
  });
}

}  // namespace

void RequestReader::start(Request& request) {
  request_ = &request;
  parser_.emplace(*this);
  parser_->header_limit(static_cast<std::uint32_t>(header_bytes_ + 4));
  parser_->body_limit(boost::none);  // ours depends on the route
  refusal_.reset();
  scanned_ = 0;
  skipped_empty_line_ = false;
  state_ = State::head;
  facts_ = {};
  body_ = {};
}

Checked<std::size_t> RequestReader::feed(std::string_view bytes) {
  switch (state_) {
    case State::head:
      return feed_head(bytes);
    case State::body:
      return feed_body(bytes);
    case State::complete:
      break;
  }
  return 0;
}

Checked<std::size_t> RequestReader::feed_head(std::string_view bytes) {
  // A client may send one empty line before a request (RFC 9112, 2.2).
  if (!skipped_empty_line_ && scanned_ < 2 && bytes.starts_with("\r\n")) {
    skipped_empty_line_ = true;
    scanned_ = 0;
    return 2;
  }
  const auto fresh = bytes.substr(scanned_);
  const auto from = scanned_ >= 3 ? scanned_ - 3 : 0;
  scanned_ = bytes.size();
  const auto blank = bytes.find("\r\n\r\n", from);
  const bool whole = blank != std::string_view::npos;
  const auto head = bytes.substr(0, whole ? blank + 4 : bytes.size());
  if (!all_allowed_in_head(fresh.substr(0, head.size() - (bytes.size() - fresh.size())))) {
    return malformed("The header section contains a control character or a byte outside ASCII.");
  }
  const auto line_end = head.find("\r\n");
  if (std::min(line_end, head.size()) > kMaxTargetBytes + 64) {
    return refuse(ErrorCode::malformed_request,
                  fmt::format("The request line is longer than {} bytes.", kMaxTargetBytes), 414);
  }
  if (head.size() > header_bytes_ || (!whole && head.size() == header_bytes_)) {
    return refuse(ErrorCode::headers_too_large,
                  fmt::format("The header section is larger than {} bytes.", header_bytes_));
  }
  if (!whole) return 0;
  if (auto checked = check_lines(head); !checked) return std::unexpected(checked.error());

  boost::beast::error_code error;
  const auto used = parser_->put(boost::asio::buffer(head.data(), head.size()), error);
  if (refusal_ || error) return explain(error);
  state_ = parser_->is_done() ? State::complete : State::body;
  return used;
}

Checked<std::size_t> RequestReader::feed_body(std::string_view bytes) {
  // A chunked body that is not complete has at least these bytes to come; Beast 1.81 asserts so when it looks twice at
  // a last chunk that came in pieces.
  const std::size_t least = facts_.chunked ? std::string_view("0\r\n\r\n").size() : 1;
  std::size_t used = 0;
  boost::beast::error_code error;
  while (bytes.size() - used >= least && !parser_->is_done() && !error) {
    // One window at a time, so that the bound of chunk headers and trailers does not depend on how the bytes came.
    const auto window = bytes.substr(used, header_bytes_);
    used += parser_->put(boost::asio::buffer(window.data(), window.size()), error);
  }
  if (refusal_ || (error && error != http::error::need_more)) return explain(error);
  if (parser_->is_done()) state_ = State::complete;
  if (state_ != State::complete && bytes.size() - used >= header_bytes_) {
    return refuse(ErrorCode::headers_too_large, "A chunk header or trailer of the body is too large.");
  }
  return used;
}

void RequestReader::accept_body(std::size_t limit) {
  body_.accepted = true;
  body_.limit = limit;
}

std::optional<std::uint64_t> RequestReader::content_length() const {
  const auto length = parser_->content_length();
  return length ? std::optional(*length) : std::nullopt;
}

bool RequestReader::keep_alive() const {
  return facts_.version == 11 && parser_->keep_alive();
}

Checked<void> RequestReader::take_request_line(std::string_view method, std::string_view target, int version) {
  facts_.version = version;
  const auto known = method_of(method);
  if (!known) {
    return refuse(ErrorCode::method_not_allowed,
                  "The method is not one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS.", 501);
  }
  request_->method = *known;
  if (target.size() > kMaxTargetBytes) {
    return refuse(ErrorCode::malformed_request,
                  fmt::format("The request target is longer than {} bytes.", kMaxTargetBytes), 414);
  }
  request_->target = target;
  return parse_target(*request_);
}

Checked<void> RequestReader::take_field(http::field field, std::string_view name, std::string_view value) {
  if (state_ == State::body) return {};  // a trailer field: read, not kept
  switch (field) {
    case http::field::host:
      if (++facts_.hosts > 1) return malformed("The request has more than one Host header.");
      if (!is_host(value)) return malformed("The Host header is not a host name with an optional port.");
      break;
    case http::field::content_length:
      if (++facts_.content_lengths > 1) return malformed("The request has more than one Content-Length header.");
      if (!std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; })) {
        return malformed("The Content-Length header is not one decimal number.");
      }
      break;
    case http::field::transfer_encoding:
      if (facts_.chunked || !boost::beast::iequals(value, "chunked")) {
        return malformed("The Transfer-Encoding header is not exactly chunked.");
      }
      facts_.chunked = true;
      break;
    case http::field::expect:
      if (!boost::beast::iequals(value, "100-continue")) {
        return refuse(ErrorCode::malformed_request, "The Expect header is not 100-continue.", 417);
      }
      facts_.expects_continue = true;
      break;
    default:
      break;
  }
  if (request_->headers.size() == kMaxHeaders) {
    return refuse(ErrorCode::headers_too_large, fmt::format("The request has more than {} headers.", kMaxHeaders));
  }
  request_->headers.push_back({std::string(name), std::string(value)});
  return {};
}

Checked<void> RequestReader::end_head() {
  if (facts_.hosts == 0 && facts_.version == 11) return malformed("The request has no Host header.");
  if (facts_.chunked && facts_.content_lengths > 0) {
    return malformed("The request has both Transfer-Encoding and Content-Length.");
  }
  if (facts_.chunked && facts_.version == 10) return malformed("An HTTP/1.0 request has a Transfer-Encoding.");
  return {};
}

Checked<void> RequestReader::take_body(std::string_view piece) {
  if (!body_.accepted) {
    body_.discarded += piece.size();
    return {};
  }
  if (piece.size() > body_.limit - request_->body.size()) {
    return refuse(ErrorCode::body_too_large, fmt::format("The body is larger than {} bytes.", body_.limit));
  }
  request_->body.append(piece);
  return {};
}

std::unexpected<Refusal> RequestReader::explain(const boost::beast::error_code& error) {
  if (refusal_) return std::unexpected(std::move(*refusal_));
  using enum http::error;
  const std::pair<http::error, std::string_view> texts[] = {
      {bad_method, "The method is not a token."},
      {bad_target, "The request target is not valid."},
      {bad_field, "A header name is not a token."},
      {bad_value, "A header value is not valid."},
      {bad_content_length, "The Content-Length header is not one decimal number, or stands beside Transfer-Encoding."},
      {multiple_content_length, "The request has more than one Content-Length header."},
      {bad_transfer_encoding, "Transfer-Encoding is repeated or stands beside Content-Length."},
      {bad_chunk, "A chunk of the body is not well formed."},
      {bad_chunk_extension, "A chunk extension of the body is not well formed."},
      {bad_line_ending, "A line does not end with CRLF."},
  };
  if (error == bad_version) return refuse(ErrorCode::malformed_request, "The HTTP version is not 1.0 or 1.1.", 505);
  for (const auto& [code, text] : texts) {
    if (error == code) return malformed(std::string(text));
  }
  return malformed("The request is not well formed.");
}

void RequestReader::Parser::check(Checked<void> result, Code& ec) {
  if (result) return;
  reader_.refusal_ = std::move(result.error());
  ec = http::error::bad_value;
}

void RequestReader::Parser::on_request_impl(http::verb, View method, View target, int version, Code& ec) {
  check(reader_.take_request_line(method, target, version), ec);
}

void RequestReader::Parser::on_field_impl(http::field field, View name, View value, Code& ec) {
  check(reader_.take_field(field, name, value), ec);
}

void RequestReader::Parser::on_header_impl(Code& ec) {
  check(reader_.end_head(), ec);
}

std::size_t RequestReader::Parser::on_body_impl(View body, Code& ec) {
  check(reader_.take_body(body), ec);
  return body.size();
}

std::size_t RequestReader::Parser::on_chunk_body_impl(std::uint64_t, View body, Code& ec) {
  check(reader_.take_body(body), ec);
  return body.size();
}

}  // namespace cameleer::web
