#pragma once
#include <map>
#include <string>

namespace cameleer::engines::test {

struct HttpAnswer {
  int status = 0;  ///< 0: none came
  std::map<std::string, std::string> headers;
  std::string body;
  bool whole = false;  ///< the body ended as its framing says
};

/// `text` as a component of a URL.
std::string url_encoded(const std::string& text);

/// A connection to 127.0.0.1 that sends what it is told, bytes or not: the tests must be able to misbehave.
class HttpClient {
 public:
  explicit HttpClient(int port);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  bool send(const std::string& bytes);
  /// The next answer; at most 30 s between two reads.
  HttpAnswer receive();

 private:
  bool read_more();
  int fd_;
  std::string pending_;
};

}  // namespace cameleer::engines::test
