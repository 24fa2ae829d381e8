#pragma once
#include <boost/beast/http/basic_parser.hpp>
#include <cameleer/web/message.hpp>
#include <cstdint>
#include <optional>

#include "refusal.hpp"

namespace cameleer::web {

/// Reads one HTTP/1.x request after another from bytes that come in any pieces. No sockets, no clock: Beast's
/// `basic_parser` with our own strictness around it (Beast lets through two Host headers, none, unknown transfer
/// codings, obs-fold, bytes >= 0x80, repeated Content-Length).
class RequestReader {
 public:
  static constexpr std::size_t kMaxHeaders = 100;

  enum class State : std::uint8_t {
    head,      ///< the header section is not complete
    body,      ///< it is; a body follows (see accept_body)
    complete,  ///< the whole request was read
  };

  explicit RequestReader(std::size_t header_bytes) : header_bytes_(header_bytes) {}

  /// Starts with the next request, which is written into `request`. It must outlive the reading.
  void start(Request& request);

  /// Takes what it can from the front of `bytes` and says how much; what it leaves must come again, with more behind
  /// it. Stops at the end of the header section and at the end of the request. After a refusal the connection is lost.
  Checked<std::size_t> feed(std::string_view bytes);

  /// Lets the body in, `limit` bytes at most (413 beyond). Before it, feed() in state `body` discards the body.
  void accept_body(std::size_t limit);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] std::optional<std::uint64_t> content_length() const;
  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] bool http_1_0() const { return facts_.version == 10; }
  [[nodiscard]] bool expects_continue() const { return facts_.expects_continue; }
  /// Bytes of the body that were read and thrown away.
  [[nodiscard]] std::uint64_t discarded() const { return body_.discarded; }

 private:
  struct Facts {
    int version = 11;
    unsigned hosts = 0;
    unsigned content_lengths = 0;
    bool chunked = false;
    bool expects_continue = false;
  };
  struct Body {
    bool accepted = false;
    std::size_t limit = 0;
    std::uint64_t discarded = 0;
  };

  class Parser final : public boost::beast::http::basic_parser<true> {
   public:
    explicit Parser(RequestReader& reader) : reader_(reader) {}

   private:
    using Code = boost::beast::error_code;
    using View = boost::beast::string_view;
    void on_request_impl(boost::beast::http::verb, View method, View target, int version, Code& ec) override;
    void on_response_impl(int, View, int, Code&) override {}
    void on_field_impl(boost::beast::http::field field, View name, View value, Code& ec) override;
    void on_header_impl(Code& ec) override;
    void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
    std::size_t on_body_impl(View body, Code& ec) override;
    void on_chunk_header_impl(std::uint64_t, View, Code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, View body, Code& ec) override;
    void on_finish_impl(Code&) override {}
    void check(Checked<void> result, Code& ec);
    RequestReader& reader_;
  };

  Checked<std::size_t> feed_head(std::string_view bytes);
  Checked<std::size_t> feed_body(std::string_view bytes);
  Checked<void> take_request_line(std::string_view method, std::string_view target, int version);
  Checked<void> take_field(boost::beast::http::field field, std::string_view name, std::string_view value);
  Checked<void> take_body(std::string_view piece);
  Checked<void> end_head();
  std::unexpected<Refusal> explain(const boost::beast::error_code& error);

  std::size_t header_bytes_;
  Request* request_ = nullptr;
  std::optional<Parser> parser_;
  std::optional<Refusal> refusal_;  ///< of a callback, which can only hand an error_code through Beast
  std::size_t scanned_ = 0;
  bool skipped_empty_line_ = false;
  State state_ = State::head;
  Facts facts_;
  Body body_;
};

}  // namespace cameleer::web
