#include "client_answer.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace cameleer::web::client {
namespace {

namespace http = boost::beast::http;
using BeastError = boost::beast::error_code;
using Text = boost::beast::string_view;

constexpr std::uint32_t kMaxHeader = 64 * 1024;
constexpr std::size_t kRead = std::size_t{64} * 1024;

class Parser final : public http::basic_parser<false> {
 public:
  ClientResponse head;
  std::string body;
  bool chunk_seen = false;

  explicit Parser(bool to_head_request) {
    eager(true);
    header_limit(kMaxHeader);
    body_limit(boost::none);
    skip(to_head_request);
  }

 private:
  void on_request_impl(http::verb, Text, Text, int, BeastError&) override {}
  void on_response_impl(int code, Text, int, BeastError&) override { head.status = code; }
  void on_field_impl(http::field, Text name, Text value, BeastError&) override {
    head.headers.push_back({std::string(name), std::string(value)});
  }
  void on_header_impl(BeastError&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, BeastError&) override {}
  std::size_t on_body_impl(Text piece, BeastError&) override { return take(piece); }
  void on_chunk_header_impl(std::uint64_t, Text, BeastError&) override { chunk_seen = true; }
  std::size_t on_chunk_body_impl(std::uint64_t, Text piece, BeastError&) override { return take(piece); }
  void on_finish_impl(BeastError&) override {}

  std::size_t take(Text piece) {
    body.append(piece.data(), piece.size());
    return piece.size();
  }
};

}  // namespace

struct AnswerReader::Impl {
  bool to_head_request;
  std::unique_ptr<Parser> parser;
  boost::beast::flat_buffer buffer{kMaxHeader + 2 * kRead};
  bool touched = false;
  bool broken = false;

  explicit Impl(bool to_head) : to_head_request(to_head), parser(std::make_unique<Parser>(to_head)) {}

  void parse() {
    while (!broken && buffer.size() > 0 && !parser->is_done()) {
      // Beast 1.81 asserts that a last chunk it has begun has 5 bytes; an empty body's `0\r\n` alone has 3.
      if (parser->is_header_done() && parser->chunked() && !parser->chunk_seen && buffer.size() < 5) break;
      BeastError error;
      const auto used = parser->put(buffer.data(), error);
      buffer.consume(used);
      if (error == http::error::need_more) {
        error = {};
        if (used == 0) break;
      }
      broken = bool(error);
      // An interim answer (100, 103) precedes the real one.
      if (!broken && parser->is_header_done() && parser->head.status / 100 == 1) {
        broken = parser->head.status == 101;  // nobody asked for another protocol
        parser = std::make_unique<Parser>(to_head_request);
      } else if (used == 0) {
        break;
      }
    }
  }
};

AnswerReader::AnswerReader(bool to_head_request) : impl_(std::make_unique<Impl>(to_head_request)) {}
AnswerReader::~AnswerReader() = default;
AnswerReader::AnswerReader(AnswerReader&&) noexcept = default;
AnswerReader& AnswerReader::operator=(AnswerReader&&) noexcept = default;

AnswerReader::State AnswerReader::state() const {
  if (impl_->broken) return State::broken;
  if (impl_->parser->is_done()) return State::done;
  return impl_->parser->is_header_done() ? State::body : State::header;
}

bool AnswerReader::untouched() const {
  return !impl_->touched;
}

AnswerReader::Room AnswerReader::room() {
  auto& buffer = impl_->buffer;
  const auto free = std::min(kRead, buffer.max_size() - buffer.size());
  const auto space = buffer.prepare(free);
  return {static_cast<char*>(space.data()), space.size()};
}

void AnswerReader::received(std::size_t bytes) {
  if (bytes == 0) return;
  impl_->touched = true;
  impl_->buffer.commit(bytes);
  impl_->parse();
  // A full buffer that the parser makes nothing of: a chunk header without end.
  if (impl_->buffer.size() == impl_->buffer.max_size()) impl_->broken = true;
}

void AnswerReader::ended() {
  if (state() == State::done) return;
  BeastError error;
  if (impl_->parser->is_header_done()) {
    impl_->parser->put_eof(error);
  }
  if (error || !impl_->parser->is_done()) impl_->broken = true;
}

const ClientResponse& AnswerReader::head() const {
  return impl_->parser->head;
}

std::string AnswerReader::take_body() {
  return std::exchange(impl_->parser->body, {});
}

std::size_t AnswerReader::pending_body() const {
  return impl_->parser->body.size();
}

bool AnswerReader::reusable() const {
  return state() == State::done && impl_->buffer.size() == 0 && impl_->parser->keep_alive();
}

}  // namespace cameleer::web::client
