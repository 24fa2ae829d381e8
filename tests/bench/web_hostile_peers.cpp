#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cameleer/web/server.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

/// Measures what a hundred hostile peers cost a healthy client and the server's memory: slow-loris, oversized,
/// half-closed and garbage peers, a quarter each, against a server in a process of its own. Rounds with and without
/// them alternate, for the machine's speed changes from second to second. Together the peers act (send, or come
/// again) 100 times a second, or as often as the first argument says. Prints p50, p99, their ratio, and the
/// resident memory that each kind of peer costs, without and with TLS. Ends with 1 when p99 rises by 20 % or a peer
/// costs 64 KiB.
namespace {

using namespace cameleer;
using Clock = std::chrono::steady_clock;

constexpr int kHostile = 100;
constexpr int kRounds = 8;
constexpr int kRequests = 20'000;
enum class Kind : std::uint8_t { slow_loris, oversized, half_closed, garbage, hello };
/// The last only with TLS: a handshake that announces the longest first message and goes on byte by byte.
constexpr std::string_view kKinds[] = {"slow-loris", "oversized", "half-closed", "garbage", "hello"};
/// What a stranger may send: the limit of a public route such as sign-in.
constexpr std::size_t kPublicBody = 16 * 1024;

async::Task<web::Response> hello(web::Request&) {
  co_return web::Response::json(R"({"hello":"world"})");
}

async::Task<Expected<void>> anyone(web::Request&, const web::Route&) {
  co_return Expected<void>{};
}

/// A fresh self-signed certificate and its key, in one file, as long as this lives.
class Certificate {
 public:
  Certificate() {
    char name[] = "/tmp/cameleer-bench-XXXXXX";
    file_ = ::mkdtemp(name) + std::string("/certificate.pem");
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    const std::unique_ptr<X509, void (*)(X509*)> certificate(X509_new(), &X509_free);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86'400);
    X509_set_pubkey(certificate.get(), key.get());
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    const std::unique_ptr<FILE, int (*)(FILE*)> out(std::fopen(file_.c_str(), "w"), &std::fclose);
    PEM_write_X509(out.get(), certificate.get());
    PEM_write_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  }
  ~Certificate() { std::filesystem::remove_all(std::filesystem::path(file_).parent_path()); }
  Certificate(const Certificate&) = delete;
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  std::string file_;
};

/// The server's process: says its port through the pipe and works until it is killed. TLS with a certificate.
[[noreturn]] void serve(int pipe, const std::string& certificate) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  boost::asio::io_context context;
  async::WorkerPool workers(1, 16);
  web::Router router;
  router.add({web::Method::get, "/hello", {}, {"public"}, {}, hello});
  router.add({web::Method::post, "/hello", {}, {"public"}, {kPublicBody, kPublicBody}, hello});
  if (!router.seal()) std::_Exit(2);
  web::ServerOptions options;
  options.address = "127.0.0.1";
  options.tls_certificate_file = options.tls_key_file = certificate;
  web::Server server(context.get_executor(), workers, router, anyone, {}, options);
  if (!server.start()) std::_Exit(2);
  const auto port = server.port();
  if (::write(pipe, &port, sizeof port) != sizeof port) std::_Exit(2);
  context.run();
  std::_Exit(0);
}

int connect_to(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int yes = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
  return descriptor;
}

bool say(int descriptor, std::string_view bytes) {
  return ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
}

/// A connection of a client, with TLS when a context is given.
class Line {
 public:
  Line(std::uint16_t port, SSL_CTX* tls) : descriptor_(connect_to(port)) {
    if (!tls) return;
    tls_.reset(SSL_new(tls));
    SSL_set_fd(tls_.get(), descriptor_);
    if (SSL_connect(tls_.get()) != 1) std::abort();
  }
  ~Line() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Line(Line&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), tls_(std::move(other.tls_)) {}
  Line& operator=(Line&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(tls_, other.tls_);
    return *this;
  }

  [[nodiscard]] int descriptor() const { return descriptor_; }
  bool say(std::string_view bytes) {
    if (!tls_) return ::say(descriptor_, bytes);
    return SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
  }
  /// Bytes of an answer; 0: the end.
  long hear(char* into, int size) {
    if (!tls_) return ::recv(descriptor_, into, static_cast<std::size_t>(size), 0);
    return std::max(0, SSL_read(tls_.get(), into, size));
  }
  void end_sending() {
    if (tls_) SSL_shutdown(tls_.get());
    ::shutdown(descriptor_, SHUT_WR);
  }
  /// Whether the server has thrown this one out; what it says is not read.
  [[nodiscard]] bool over() const {
    tcp_info info{};
    socklen_t size = sizeof info;
    ::getsockopt(descriptor_, IPPROTO_TCP, TCP_INFO, &info, &size);
    return info.tcpi_state != TCP_ESTABLISHED && info.tcpi_state != TCP_FIN_WAIT2;
  }

 private:
  int descriptor_;
  std::unique_ptr<SSL, void (*)(SSL*)> tls_{nullptr, &SSL_free};
};

/// A peer that misbehaves in one of these ways, and comes again when it is thrown out.
class HostilePeer {
 public:
  HostilePeer(std::uint16_t port, Kind kind, SSL_CTX* tls)
      : port_(port), kind_(kind), tls_(kind == Kind::hello ? nullptr : tls), line_(port_, tls_) {
    begin();
  }

  /// A little more of the same.
  void go_on() {
    if (line_.over()) {
      line_ = Line(port_, tls_);
      begin();
      return;
    }
    const std::string name = fmt::format("X-{}", step_++);
    if (kind_ == Kind::slow_loris || kind_ == Kind::hello) line_.say(name.substr(0, 1));
    if (kind_ == Kind::oversized) line_.say(std::string(64, 'x'));
    if (kind_ == Kind::garbage) say(line_.descriptor(), name);  // with TLS: no record
  }

 private:
  void begin() {
    switch (kind_) {
      case Kind::slow_loris:  // a header section that never ends, just under its bound
        line_.say("GET /hello HTTP/1.1\r\nHost: a\r\nX: " + std::string(15'000, 'x'));
        break;
      case Kind::oversized:  // a body that is longer than it may be
        line_.say("POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" +
                  std::string(kPublicBody - 100, 'x'));
        break;
      case Kind::half_closed:  // in the middle of a header
        line_.say("GET /hello HTTP/1.1\r\nHos");
        line_.end_sending();
        break;
      case Kind::garbage:
        say(line_.descriptor(), "\x16\x03\x01\x02 garbage \xff\xfe");
        break;
      case Kind::hello:  // 131,392 bytes are the most that OpenSSL takes
        say(line_.descriptor(), {"\x16\x03\x01\x00\x06\x01\x02\x01\x40\x03\x03", 11});
    }
  }
  std::uint16_t port_;
  Kind kind_;
  SSL_CTX* tls_;
  Line line_;
  int step_ = 0;
};

/// Latencies in microseconds of requests on one kept connection, one after another. `meanwhile` runs `rate` times a
/// second.
std::vector<double> measure(std::uint16_t port, SSL_CTX* tls, int rate, const std::function<void()>& meanwhile) {
  Line line(port, tls);
  std::vector<double> latencies;
  latencies.reserve(kRequests);
  auto next = Clock::now();
  for (int request = 0; request < kRequests; ++request) {
    if (Clock::now() > next) {
      meanwhile();
      next = Clock::now() + std::chrono::microseconds(1'000'000 / rate);
    }
    const auto start = Clock::now();
    if (!line.say("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")) std::abort();
    char answer[4096];
    if (line.hear(answer, sizeof answer) <= 0) std::abort();
    latencies.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  std::ranges::sort(latencies);
  return latencies;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// A server in a process of its own.
class ServerProcess {
 public:
  explicit ServerProcess(bool tls) {
    int pipe[2];
    if (::pipe(pipe) != 0) std::abort();
    std::optional<Certificate> certificate;
    if (tls) {
      certificate.emplace();
      context_.reset(SSL_CTX_new(TLS_client_method()));
    }
    process_ = ::fork();
    if (process_ == 0) serve(pipe[1], certificate ? certificate->file() : "");
    if (::read(pipe[0], &port_, sizeof port_) != sizeof port_) std::abort();
    ::close(pipe[0]);
    ::close(pipe[1]);
    measure(port_, tls_context(), 1, [] {});  // warm
  }
  ~ServerProcess() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  ServerProcess(const ServerProcess&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] SSL_CTX* tls_context() const { return context_.get(); }
  [[nodiscard]] long resident_kib() const {
    std::ifstream status(fmt::format("/proc/{}/status", process_));
    for (std::string word; status >> word;) {
      long value = 0;
      if (word == "VmRSS:" && status >> value) return value;
    }
    return 0;
  }

 private:
  pid_t process_ = -1;
  std::uint16_t port_ = 0;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_{nullptr, &SSL_CTX_free};
};

/// KiB that one peer of this kind adds to the server at most, while a hundred of them are there.
double memory_of(Kind kind, bool tls) {
  const ServerProcess server(tls);
  const long before = server.resident_kib();
  std::vector<HostilePeer> peers;
  for (int index = 0; index < kHostile; ++index) peers.emplace_back(server.port(), kind, server.tls_context());
  long most = server.resident_kib() - before;
  std::size_t turn = 0;
  measure(server.port(), server.tls_context(), 500, [&] {
    peers[turn++ % peers.size()].go_on();
    most = std::max(most, server.resident_kib() - before);
  });
  return static_cast<double>(most) / kHostile;
}

/// p99 with and without the peers, in pairs; the median of the ratios.
double latency_ratio(int rate) {
  const ServerProcess server(false);
  std::vector<double> p50s[2];
  std::vector<double> p99s[2];
  std::vector<double> ratios;
  for (int round = 0; round < kRounds; ++round) {
    for (const int hostile : {0, 1}) {
      std::vector<HostilePeer> peers;
      for (int index = 0; index < hostile * kHostile; ++index) {
        peers.emplace_back(server.port(), static_cast<Kind>(index % 4), nullptr);
      }
      std::size_t turn = 0;
      const auto latencies = measure(server.port(), nullptr, rate, [&] {
        if (!peers.empty()) peers[turn++ % peers.size()].go_on();
      });
      p50s[hostile].push_back(latencies[latencies.size() / 2]);
      p99s[hostile].push_back(latencies[latencies.size() * 99 / 100]);
    }
    ratios.push_back(p99s[1].back() / p99s[0].back());
  }
  fmt::print("healthy client alone:                  p50 {:6.1f} us  p99 {:6.1f} us\n", median(p50s[0]),
             median(p99s[0]));
  fmt::print("healthy client and {} hostile peers:  p50 {:6.1f} us  p99 {:6.1f} us\n", kHostile, median(p50s[1]),
             median(p99s[1]));
  return median(ratios);
}

}  // namespace

int main(int count, char** arguments) {
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to peers that have gone
  const int rate = count > 1 ? std::max(1, std::atoi(arguments[1])) : 100;
  const double ratio = latency_ratio(rate);
  fmt::print("p99 ratio (median of {} pairs):         {:.2f}   aim: under 1.20\n", kRounds, ratio);
  bool small = true;
  for (const bool tls : {false, true}) {
    for (int kind = 0; kind < (tls ? 5 : 4); ++kind) {
      const double memory = memory_of(static_cast<Kind>(kind), tls);
      small = small && memory < 64;
      fmt::print("memory of a {:<15} peer:      {:5.1f} KiB   aim: under 64\n",
                 fmt::format("{}{}", tls ? "TLS " : "", kKinds[kind]), memory);
    }
  }
  return ratio < 1.2 && small ? 0 : 1;
}
