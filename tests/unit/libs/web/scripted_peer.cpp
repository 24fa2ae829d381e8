#include "scripted_peer.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <stdexcept>

namespace scripted {
namespace {

constexpr int kPatienceMs = 10'000;

std::size_t length_of_body(std::string_view head) {
  constexpr std::string_view kName = "\r\nContent-Length: ";
  const auto at = head.find(kName);
  if (at == std::string_view::npos) return 0;
  std::size_t length = 0;
  std::from_chars(head.data() + at + kName.size(), head.data() + head.size(), length);
  return length;
}

void check(bool good, const char* what) {
  if (!good) throw std::runtime_error(what);
}

}  // namespace

Connection::~Connection() {
  if (tls_) {
    SSL_shutdown(tls_);
    SSL_free(tls_);
  }
  ::close(fd_);
}

long Connection::receive(char* into, std::size_t size) {
  if (!tls_ || SSL_pending(tls_) == 0) {
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, kPatienceMs) != 1) return -1;
  }
  return tls_ ? SSL_read(tls_, into, static_cast<int>(size)) : ::recv(fd_, into, size, 0);
}

std::optional<std::string> Connection::request() {
  char piece[16 * 1024];
  for (;;) {
    if (const auto end = rest_.find("\r\n\r\n"); end != std::string::npos) {
      const auto whole = end + 4 + length_of_body(std::string_view(rest_).substr(0, end + 2));
      if (rest_.size() >= whole) {
        auto request = rest_.substr(0, whole);
        rest_.erase(0, whole);
        return request;
      }
    }
    const auto got = receive(piece, sizeof piece);
    if (got <= 0) return std::nullopt;
    rest_.append(piece, static_cast<std::size_t>(got));
  }
}

void Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto put = tls_ ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                          : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

void Connection::cut() {
  if (tls_) SSL_set_quiet_shutdown(tls_, 1);
}

bool Connection::closed_by_client() {
  char byte = 0;
  return rest_.empty() && receive(&byte, 1) == 0;
}

Server::Server(Script script, std::string unix_path, std::optional<TlsFiles> tls) : script_(std::move(script)) {
  if (tls) {
    tls_ = SSL_CTX_new(TLS_server_method());
    check(SSL_CTX_use_certificate_file(tls_, tls->certificate.c_str(), SSL_FILETYPE_PEM) == 1, "certificate");
    check(SSL_CTX_use_PrivateKey_file(tls_, tls->key.c_str(), SSL_FILETYPE_PEM) == 1, "key");
  }
  if (unix_path.empty()) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    check(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
    check(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
    port_ = ntohs(address.sin_port);
  } else {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    unix_path.copy(address.sun_path, sizeof address.sun_path - 1);
    check(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  }
  check(::listen(listener_, 64) == 0, "listen");
  acceptor_ = std::thread([this] { accept_all(); });
}

Server::~Server() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  for (auto& thread : threads_) thread.join();
  if (tls_) SSL_CTX_free(tls_);
}

std::string Server::url() const {
  return fmt::format("{}://127.0.0.1:{}", tls_ ? "https" : "http", port_);
}

std::string Server::last_server_name() const {
  const std::lock_guard lock(mutex_);
  return server_name_;
}

void Server::accept_all() {
  for (;;) {
    const int fd = ::accept(listener_, nullptr, nullptr);
    if (fd < 0) return;
    const int number = ++accepted_;
    threads_.emplace_back([this, fd, number] { serve(fd, number); });
  }
}

void Server::serve(int fd, int number) {
  SSL* tls = nullptr;
  if (tls_) {
    tls = SSL_new(tls_);
    SSL_set_fd(tls, fd);
    if (SSL_accept(tls) != 1) {
      SSL_free(tls);
      ::close(fd);
      return;
    }
    const char* name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
    const std::lock_guard lock(mutex_);
    server_name_ = name ? name : "";
  }
  Connection connection(fd, number, tls);
  script_(connection);
}

void Journal::add(std::string entry) {
  const std::lock_guard lock(mutex_);
  entries_.push_back(std::move(entry));
  changed_.notify_all();
}

std::vector<std::string> Journal::entries() const {
  const std::lock_guard lock(mutex_);
  return entries_;
}

bool Journal::wait_for(std::size_t count) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::milliseconds(kPatienceMs), [&] { return entries_.size() >= count; });
}

TlsFiles make_certificate(const std::string& directory, const std::string& dns_name) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  auto* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("scripted peer"), -1, -1,
                             0);
  X509_set_issuer_name(certificate, name);
  auto* alternative =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, fmt::format("DNS:{}", dns_name).c_str());
  X509_add_ext(certificate, alternative, -1);
  X509_EXTENSION_free(alternative);
  check(X509_sign(certificate, key, EVP_sha256()) > 0, "sign");

  TlsFiles files{fmt::format("{}/{}.crt", directory, dns_name), fmt::format("{}/{}.key", directory, dns_name)};
  std::FILE* out = std::fopen(files.certificate.c_str(), "w");
  PEM_write_X509(out, certificate);
  std::fclose(out);
  out = std::fopen(files.key.c_str(), "w");
  PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(out);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return files;
}

}  // namespace scripted
