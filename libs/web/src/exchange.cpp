#include "exchange.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "target.hpp"

namespace cameleer::web {
namespace {

constexpr std::size_t kInlineDecoding = 64 * 1024;  // more goes to the workers
constexpr std::size_t kInlineDecodedBytes = 256 * 1024;

/// An id that a proxy or client chose, when it is harmless in logs and headers.
bool is_request_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
           c == '-';
  });
}

/// The part of `path` behind the base path; no value outside it.
std::optional<std::string_view> below(std::string_view base, std::string_view path) {
  if (!path.starts_with(base)) return std::nullopt;
  path.remove_prefix(base.size());
  if (path.empty()) return base.empty() ? std::nullopt : std::optional<std::string_view>("/");
  if (path.front() != '/') return std::nullopt;
  return path;
}

}  // namespace

void Exchange::begin(const boost::asio::ip::address& peer, const std::string& peer_text, bool secure) {
  release();
  request_ = {};
  request_.remote_address = peer_text;
  request_.secure = secure;
  peer_ = &peer;
  route_ = nullptr;
  must_close_ = false;
  finished_ = false;
  sent_bytes = 0;
  reader_.start(request_);
}

void Exchange::head_read(bool refused) {
  if (state_.observer) began_ = std::chrono::steady_clock::now();
  state_.proxies.apply(request_, *peer_);
  const auto given = refused ? std::string_view() : request_.header("X-Request-Id");
  request_.request_id = is_request_id(given) ? std::string(given) : state_.next_request_id();
}

async::Task<std::optional<Response>> Exchange::answer() {
  const auto path = below(state_.base_path, raw_path(request_.target));
  auto match = path ? state_.router.find(request_.method, *path) : Router::Match{};
  if (match.route == nullptr) co_return no_route(match);
  route_ = match.route;
  request_.path_parameters = std::move(match.parameters);
  if (!state_.base_path.empty()) request_.path = decode_checked(*path);

  try {
    channel_.handling(route_->limits.handling);
    auto allowed = co_await state_.authorizer(request_, *route_);
    if (state_.stopped) co_return std::nullopt;
    if (!allowed) {
      const auto& refusal = state_.options.refusal;
      auto response =
          refusal ? refusal(allowed.error(), request_.request_id) : problem(allowed.error(), request_.request_id);
      if (response.status == 401) response.headers.push_back({"WWW-Authenticate", "Bearer"});
      if (response.status == 503) response.headers.push_back({"Retry-After", "5"});
      must_close_ = reader_.expects_continue();
      co_return response;
    }
    if (reader_.state() == RequestReader::State::body) {
      if (auto refused_body = co_await take_body()) co_return refused_body;
      if (reader_.state() != RequestReader::State::complete) co_return std::nullopt;
    }
    if (request_.method != Method::get && request_.method != Method::head) {
      request_.body.reserve(request_.body.size() + kPadding);
    }
    channel_.handling(route_->limits.handling);
    co_return co_await route_->handler(request_);
  } catch (const std::exception& error) {
    report(error.what());
  } catch (...) {
    report("an exception of unknown type");
  }
  co_return problem({ErrorCode::internal, {}}, request_.request_id);
}

Response Exchange::no_route(const Router::Match& match) {
  must_close_ = reader_.expects_continue();
  if (match.allowed.empty())
    return problem({ErrorCode::not_found, "There is nothing at this address."}, request_.request_id);
  if (request_.method == Method::options) {
    auto response = Response::empty(204);
    response.headers.push_back({"Allow", match.allowed});
    return response;
  }
  auto response =
      problem({ErrorCode::method_not_allowed, "This address allows: " + match.allowed + "."}, request_.request_id);
  response.headers.push_back({"Allow", match.allowed});
  return response;
}

/// No value: the body is in the request (or, when the reader is not complete, the peer is gone).
async::Task<std::optional<Response>> Exchange::take_body() {
  const auto coding = parse_content_coding(request_.header("Content-Encoding"));
  if (!coding) {
    auto response = refused(coding.error());
    response.headers.push_back({"Accept-Encoding", "gzip, zstd"});
    co_return response;
  }
  const auto& limits = route_->limits;
  const auto length = reader_.content_length();
  const auto most =
      *coding == ContentCoding::identity ? std::min(limits.body_bytes, limits.decoded_body_bytes) : limits.body_bytes;
  if (length.value_or(0) > most) {
    co_return refused(
        {{ErrorCode::body_too_large, "The body is larger than " + std::to_string(most) + " bytes."}, 413});
  }
  if (auto room = account(); !room) co_return refused(room.error());
  if (reader_.expects_continue() && !co_await channel_.send_continue()) co_return std::nullopt;
  reader_.accept_body(most);
  request_.body.reserve(std::min<std::size_t>(length.value_or(0), kInlineDecoding) + kPadding);
  const auto read = co_await channel_.read_body();
  if (!read) co_return refused(read.error());
  if (!*read) co_return std::nullopt;
  if (*coding == ContentCoding::identity) co_return std::nullopt;
  channel_.handling(limits.handling);
  auto text = co_await decoded(*coding, limits.decoded_body_bytes);
  if (!text) co_return refused(text.error());
  request_.body = std::move(*text);
  if (auto room = account(); !room) co_return refused(room.error());
  co_return std::nullopt;
}

async::Task<Checked<std::string>> Exchange::decoded(ContentCoding coding, std::size_t limit) {
  const auto at_once = std::min(limit, kInlineDecodedBytes);
  if (request_.body.size() <= kInlineDecoding) {
    auto text = decode_content(request_.body, coding, at_once);
    if (text || text.error().error.code != ErrorCode::body_too_large || at_once == limit) co_return text;
  }
  auto text = co_await state_.workers.run(
      [body = std::move(request_.body), coding, limit] { return decode_content(body, coding, limit); });
  if (!text) co_return std::unexpected(Refusal{text.error(), info_of(text.error().code).http_status});
  co_return std::move(*text);
}

Response Exchange::refused(const Refusal& refusal) {
  ++state_.counters.refused_requests;
  must_close_ = true;
  auto error = refusal.error;
  auto response = problem(error, request_.request_id, refusal.status);
  if (response.status == 503) response.headers.push_back({"Retry-After", "5"});
  return response;
}

Checked<void> Exchange::account() {
  const auto bytes = request_.body.size();
  state_.body_bytes_in_flight += bytes - accounted_;
  accounted_ = bytes;
  const bool more = reader_.state() == RequestReader::State::body;
  const auto expected = more ? std::max<std::uint64_t>(reader_.content_length().value_or(0), bytes) - bytes : 0;
  if (state_.body_bytes_in_flight + expected <= state_.options.max_in_flight_body_bytes) return {};
  return refuse(ErrorCode::overloaded, "The bodies that the server works on take all the memory set aside for them.");
}

void Exchange::finish(int status) {
  release();
  if (finished_ || !state_.observer || state_.stopped) return;
  finished_ = true;
  state_.observer(request_, route_, status, sent_bytes, std::chrono::steady_clock::now() - began_);
}

void Exchange::report(std::string_view what) {
  if (state_.options.on_exception && !state_.stopped) state_.options.on_exception(request_, what);
}

void Exchange::release() {
  state_.body_bytes_in_flight -= accounted_;
  accounted_ = 0;
}

}  // namespace cameleer::web
