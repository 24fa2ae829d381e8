#include "request_reader.hpp"

#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::web;

namespace {

struct Result {
  int status = 0;  ///< 0: accepted
  std::string code;
  std::string message;
  Request request;
};

/// Reads one request, offered in pieces of `piece` bytes with the rest kept, as a connection does.
Result read(std::string_view bytes, std::size_t piece = std::string_view::npos, std::size_t body_limit = 1000) {
  Result result;
  RequestReader reader(16 * 1024);
  reader.start(result.request);
  std::string kept;
  while (reader.state() != RequestReader::State::complete) {
    const auto used = reader.feed(kept);
    if (!used) {
      result.status = used.error().status;
      result.code = name_of(used.error().error.code);
      result.message = used.error().error.message;
      return result;
    }
    kept.erase(0, *used);
    if (reader.state() == RequestReader::State::body) reader.accept_body(body_limit);
    if (*used > 0) continue;
    if (bytes.empty()) {
      result.status = -1;  // wants more
      return result;
    }
    const auto next = bytes.substr(0, piece);
    kept += next;
    bytes.remove_prefix(next.size());
  }
  return result;
}

using namespace std::string_literals;
const std::string kHost = "Host: a\r\n";

}  // namespace

TEST_CASE("the reader accepts what HTTP/1.1 allows") {
  struct Row {
    std::string bytes;
    Method method;
    std::string path;
    std::string body;
  };
  const Row rows[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", Method::get, "/", ""},
      {"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Method::get, "/", ""},
      {"DELETE /a%2Fb/%C3%A9?x=1 HTTP/1.1\r\nhost: [::1]:80\r\n\r\n", Method::del, "/a/b/\xC3\xA9", ""},
      {"GET /a HTTP/1.0\r\n\r\n", Method::get, "/a", ""},
      {"GET /.well-known/x HTTP/1.1\r\nHost: a\r\n\r\n", Method::get, "/.well-known/x", ""},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", Method::post, "/", "abc"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", Method::post, "/", ""},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: u\r\n\r\n",
       Method::post, "/", "abcde"},
      {"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Method::put, "/", ""},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: a\tb\r\n\r\n", Method::get, "/", ""},
  };
  for (const auto& row : rows) {
    for (std::size_t piece = 1; piece <= row.bytes.size(); ++piece) {
      const auto result = read(row.bytes, piece);
      INFO(row.bytes << " in pieces of " << piece << ": " << result.message);
      REQUIRE(result.status == 0);
      CHECK(result.request.method == row.method);
      CHECK(result.request.path == row.path);
      CHECK(result.request.body == row.body);
    }
  }
}

TEST_CASE("the reader refuses what is not strict HTTP/1.1, in whole and byte by byte") {
  struct Row {
    std::string bytes;
    int status;
    std::string says;
  };
  const std::string big(20'000, 'x');
  std::string many;
  for (int index = 0; index < 101; ++index) many += "X: y\r\n";
  const Row rows[] = {
      {"GET / HTTP/1.1\r\n\r\n", 400, "no Host"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "more than one Host"},
      {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, "more than one Host"},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, "host name"},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "host name"},
      {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, "host name"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400, "obs-fold"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n", 400, "obs-fold"},
      {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, "obs-fold"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: \xC3\xA9\r\n\r\n", 400, "outside ASCII"},
      {"GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "outside ASCII"},
      {"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \xFF\r\n\r\n", 400, "outside ASCII"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n"s, 400, "control"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", 400, "control"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400, "ends no line"},
      {"GET / HTTP/1.1\nHost: a\r\n\r\n", 400, "CRLF"},
      {"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400, "CRLF"},
      {"\x16\x03\x01\x02", 400, "control"},
      {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, ""},
      {"GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400, ""},
      {"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400, ""},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "version"},
      {"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505, "version"},
      {"GET / http/1.1\r\nHost: a\r\n\r\n", 505, "version"},
      {"GET /\r\n\r\n", 400, ""},
      {"get / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method"},
      {"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method"},
      {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method"},
      {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method"},
      {"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "slash"},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400, "slash"},
      {"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "fragment"},
      {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, "percent"},
      {"GET /?a=%4 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "percent"},
      {"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "NUL"},
      {"GET /?a=%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "NUL"},
      {"GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "dot segment"},
      {"GET /a/%2e%2E HTTP/1.1\r\nHost: a\r\n\r\n", 400, "dot segment"},
      {"GET /./b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "dot segment"},
      {"GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n", 400, "UTF-8"},
      {"GET /?a=%c3 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "UTF-8"},
      {"GET /" + std::string(8200, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414, "longer"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + big, 431, "larger"},
      {"GET / HTTP/1.1\r\nHost: a\r\n" + many + "\r\n", 431, "more than 100"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 400, "exactly chunked"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n", 400, "exactly chunked"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400, "exactly chunked"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 400, "exactly chunked"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
       "Transfer-Encoding"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400,
       "Transfer-Encoding"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
       "Transfer-Encoding"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "HTTP/1.0"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400,
       "more than one Content-Length"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400, "Content-Length"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", 400, "Content-Length"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400, "Content-Length"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc", 400, "Content-Length"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc", 400, "Content-Length"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nabc", 400, "Content-Length"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nabc", 400, "Content-Length"},
      {"POST / HTTP/1.1\r\nHost: a\r\nExpect: the-unexpected\r\nContent-Length: 1\r\n\r\na", 417, "Expect"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nzz", 400, "chunk"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n", 400, "chunk"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400, "chunk"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + big, 431, "chunk header"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + big, 431, "trailer"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5dc\r\n" + std::string(1500, 'x'), 413,
       "larger than 1000"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1500\r\n\r\n" + std::string(1500, 'x'), 413, "larger than 1000"},
  };
  for (const auto& row : rows) {
    for (const std::size_t piece : {std::string_view::npos, std::size_t{1}}) {
      const auto result = read(row.bytes, piece);
      INFO(row.bytes.substr(0, 120) << " gives " << result.code << ": " << result.message);
      CHECK(result.status == row.status);
      CHECK(result.message.find(row.says) != std::string::npos);
    }
  }
}

TEST_CASE("the reader decodes queries once, in order") {
  const auto result = read("GET /x?a=1&a=b+c&%C3%A9=%26&flag&=v&& HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(result.status == 0);
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  CHECK(result.request.query == Pairs{{"a", "1"}, {"a", "b c"}, {"\xC3\xA9", "&"}, {"flag", ""}, {"", "v"}});
  CHECK(result.request.query_value("a") == "1");
  CHECK(result.request.query_values("a").size() == 2);
  CHECK_FALSE(result.request.query_value("none"));
}

TEST_CASE("an incomplete request waits for more") {
  const std::string whole = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    CHECK(read(std::string_view(whole).substr(0, size)).status == -1);
  }
}
