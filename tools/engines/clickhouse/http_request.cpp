#include "http_request.hpp"

#include <algorithm>
#include <array>

namespace cameleer::engine {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t read_size = 256 * 1024;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Appends what the socket has; false at its end.
bool receive(Socket& socket, std::string& into, std::chrono::milliseconds timeout) {
  const std::size_t before = into.size();
  into.resize(before + read_size);
  const long got = socket.read(std::span(into).subspan(before), timeout);
  into.resize(before + static_cast<std::size_t>(std::max(got, 0L)));
  return got > 0;
}

std::unexpected<EngineError> broken_connection(std::string_view what) {
  return std::unexpected(make_error(210, "NETWORK_ERROR", what));
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      result.push_back(' ');
    } else if (text[i] != '%') {
      result.push_back(text[i]);
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      result.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return result;
}

RequestReader::Outcome RequestReader::next() {
  parser_.emplace();
  parser_->header_limit(max_header);
  parser_->body_limit(boost::none);
  decoder_.reset();
  raw_ended_ = finished_ = continue_sent_ = false;
  bool started = !pending_.empty();
  const auto deadline_for = [&] { return started ? read_timeout : idle_timeout; };
  while (true) {
    if (!pending_.empty()) {
      boost::system::error_code ec;
      const std::size_t used = parser_->put(boost::asio::buffer(pending_), ec);
      pending_.erase(0, used);
      if (parser_->is_header_done()) break;
      if (ec && ec != http::error::need_more) return Outcome::malformed;
    }
    if (!receive(socket_, pending_, deadline_for())) return started ? Outcome::malformed : Outcome::closed;
    started = true;
  }
  parser_->eager(true);
  return parse_target() ? Outcome::request : Outcome::malformed;
}

bool RequestReader::parse_target() {
  parameters_.clear();
  std::string_view target(parser_->get().target().data(), parser_->get().target().size());
  if (!target.starts_with('/')) return false;
  const std::size_t question = target.find('?');
  path_ = target.substr(0, question);
  if (question == std::string_view::npos) return true;
  std::string_view query = target.substr(question + 1);
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), part.size() + 1));
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    auto name = percent_decoded(part.substr(0, equals));
    auto value = percent_decoded(equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1));
    if (!name || !value) return false;
    parameters_.emplace_back(std::move(*name), std::move(*value));
  }
  return true;
}

std::string_view RequestReader::method() const {
  const auto name = parser_->get().method_string();
  return {name.data(), name.size()};
}

std::string_view RequestReader::parameter(std::string_view name) const {
  const auto found =
      std::ranges::find(parameters_, name, [](const auto& entry) -> std::string_view { return entry.first; });
  return found == parameters_.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view RequestReader::header(std::string_view name) const {
  const auto value = parser_->get()[boost::beast::string_view(name.data(), name.size())];
  return {value.data(), value.size()};
}

bool RequestReader::http_1_0() const {
  return parser_->get().version() < 11;
}
bool RequestReader::keep_alive() const {
  return parser_->keep_alive();
}

Result<void> RequestReader::open_body() {
  auto decoder = BodyDecoder::for_encoding(header("Content-Encoding"));
  if (!decoder) return std::unexpected(decoder.error());
  decoder_ = std::move(*decoder);
  return {};
}

Result<bool> RequestReader::read_raw() {
  if (raw_ended_ || parser_->is_done()) {
    raw_ended_ = true;
    return false;
  }
  if (!continue_sent_ && header("Expect") == "100-continue" && pending_.empty()) {
    continue_sent_ = true;
    if (!socket_.write("HTTP/1.1 100 Continue\r\n\r\n", read_timeout)) return broken_connection("The client has gone");
  }
  raw_.resize(read_size);
  auto& body = parser_->get().body();
  body.data = raw_.data();
  body.size = raw_.size();
  while (body.size == raw_.size() && !parser_->is_done()) {
    boost::system::error_code ec;
    if (!pending_.empty()) {
      const std::size_t used = parser_->put(boost::asio::buffer(pending_), ec);
      pending_.erase(0, used);
      if (ec && ec != http::error::need_more && ec != http::error::need_buffer) {
        return broken_connection("The request's body is not what HTTP allows");
      }
      if (body.size != raw_.size() || parser_->is_done()) break;
    }
    if (!receive(socket_, pending_, read_timeout)) return broken_connection("The client went away within its request");
  }
  raw_.resize(raw_.size() - body.size);
  return true;
}

Result<std::string_view> RequestReader::read_body() {
  decoded_.clear();
  while (decoded_.empty() && !finished_) {
    std::string_view fresh;
    if (!decoder_->more()) {
      auto got = read_raw();
      if (!got) return std::unexpected(got.error());
      if (!*got) {
        finished_ = true;
        if (auto whole = decoder_->finish(); !whole) return std::unexpected(whole.error());
        break;
      }
      fresh = raw_;
    }
    if (auto done = decoder_->decode(fresh, decoded_); !done) return std::unexpected(done.error());
  }
  return std::string_view(decoded_);
}

bool RequestReader::drain() {
  constexpr std::size_t patience = 1 << 20;
  if (!continue_sent_ && header("Expect") == "100-continue" && !parser_->is_done()) return false;
  std::size_t drained = 0;
  while (drained < patience) {
    const auto got = read_raw();
    if (!got) return false;
    if (!*got) return true;
    drained += raw_.size();
  }
  return false;
}

}  // namespace cameleer::engine
