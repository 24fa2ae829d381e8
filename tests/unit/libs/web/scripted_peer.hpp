#pragma once
#include <openssl/ssl.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace scripted {

/// One accepted connection, served by a thread of its own with blocking calls that give up after ten seconds.
class Connection {
 public:
  Connection(int fd, int number, SSL* tls) : fd_(fd), number_(number), tls_(tls) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Head and body of the next request, exactly framed; nothing when the client left or sent something else.
  std::optional<std::string> request();
  void send(std::string_view bytes);
  /// Ends a TLS connection without saying so.
  void cut();
  /// True when the client closed within the time limit without another byte.
  bool closed_by_client();
  [[nodiscard]] int number() const { return number_; }

 private:
  friend class Server;
  long receive(char* into, std::size_t size);
  int fd_;
  int number_;  // 1: the first that was accepted
  SSL* tls_;
  std::string rest_;
};

struct TlsFiles {
  std::string certificate;
  std::string key;
};

/// A peer that does what a test tells it, right or wrong, on an ephemeral port or a unix socket.
class Server {
 public:
  using Script = std::function<void(Connection&)>;
  explicit Server(Script script, std::string unix_path = {}, std::optional<TlsFiles> tls = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const;
  [[nodiscard]] int accepted() const { return accepted_; }
  [[nodiscard]] std::string last_server_name() const;

 private:
  void accept_all();
  void serve(int fd, int number);

  Script script_;
  SSL_CTX* tls_ = nullptr;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> accepted_ = 0;
  mutable std::mutex mutex_;
  std::string server_name_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

/// A list that threads append to and a test waits on.
class Journal {
 public:
  void add(std::string entry);
  [[nodiscard]] std::vector<std::string> entries() const;
  /// False after ten seconds.
  bool wait_for(std::size_t count) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<std::string> entries_;
};

/// Writes a self-signed certificate for `dns_name` into `directory`.
TlsFiles make_certificate(const std::string& directory, const std::string& dns_name);

}  // namespace scripted
