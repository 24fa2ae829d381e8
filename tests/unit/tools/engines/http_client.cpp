#include "http_client.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace cameleer::engines::test {

std::string url_encoded(const std::string& text) {
  std::string result;
  for (const char c : text) result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return result;
}

HttpClient::HttpClient(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval limit{30, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    close(fd_);
    throw std::runtime_error("connection refused");
  }
}

HttpClient::~HttpClient() {
  close(fd_);
}

bool HttpClient::send(const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

bool HttpClient::read_more() {
  std::array<char, 65536> buffer{};
  const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  pending_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

HttpAnswer HttpClient::receive() {
  HttpAnswer answer;
  std::size_t head_end = 0;
  while ((head_end = pending_.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more()) return answer;
  }
  const std::string head = pending_.substr(0, head_end + 2);
  pending_.erase(0, head_end + 4);
  answer.status = std::stoi(head.substr(9, 3));
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::size_t end = head.find("\r\n", at);
    const std::size_t colon = head.find(": ", at);
    answer.headers[head.substr(at, colon - at)] = head.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  if (answer.headers.contains("Content-Length")) {
    const auto size = static_cast<std::size_t>(std::stoll(answer.headers["Content-Length"]));
    while (pending_.size() < size && read_more()) {
    }
    answer.whole = pending_.size() >= size;
    answer.body = pending_.substr(0, size);
    pending_.erase(0, answer.body.size());
    return answer;
  }
  while (true) {
    std::size_t line_end = 0;
    while ((line_end = pending_.find("\r\n")) == std::string::npos) {
      if (!read_more()) return answer;
    }
    const auto size = static_cast<std::size_t>(std::stoul(pending_.substr(0, line_end), nullptr, 16));
    while (pending_.size() < line_end + 2 + size + 2) {
      if (!read_more()) return answer;
    }
    answer.body.append(pending_, line_end + 2, size);
    pending_.erase(0, line_end + 2 + size + 2);
    if (size == 0) {
      answer.whole = true;
      return answer;
    }
  }
}

}  // namespace cameleer::engines::test
