#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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
#include <fstream>
#include <string>
#include <vector>

/// Measures what a hundred hostile peers cost a healthy client and the server's memory: slow-loris, oversized,
/// half-closed and garbage peers, a quarter each, against a server in a process of its own. Rounds with and without
/// them alternate, for the machine's speed changes from second to second. Together the peers act (send, or come
/// again) 100 times a second, or as often as the first argument says. Prints p50, p99, their ratio, and the
/// resident memory that each kind of peer costs. Ends with 1 when p99 rises by 20 % or a peer costs 64 KiB.
namespace {

using namespace cameleer;
using Clock = std::chrono::steady_clock;

constexpr int kHostile = 100;
constexpr int kRounds = 8;
constexpr int kRequests = 20'000;
constexpr std::string_view kKinds[] = {"slow-loris", "oversized", "half-closed", "garbage"};
/// What a stranger may send: the limit of a public route such as sign-in.
constexpr std::size_t kPublicBody = 16 * 1024;

async::Task<web::Response> hello(web::Request&) {
  co_return web::Response::json(R"({"hello":"world"})");
}

async::Task<Expected<void>> anyone(web::Request&, const web::Route&) {
  co_return Expected<void>{};
}

/// The server's process: says its port through the pipe and works until it is killed.
[[noreturn]] void serve(int pipe) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  boost::asio::io_context context;
  async::WorkerPool workers(1, 16);
  web::Router router;
  router.add({web::Method::get, "/hello", {}, {"public"}, {}, hello});
  router.add({web::Method::post, "/hello", {}, {"public"}, {kPublicBody, kPublicBody}, hello});
  if (!router.seal()) std::_Exit(2);
  web::ServerOptions options;
  options.address = "127.0.0.1";
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

/// A peer that misbehaves in one of four ways, and comes again when it is thrown out.
class HostilePeer {
 public:
  HostilePeer(std::uint16_t port, int kind) : port_(port), kind_(kind % 4) { begin(); }
  ~HostilePeer() { ::close(descriptor_); }
  HostilePeer(HostilePeer&& other) noexcept
      : port_(other.port_), kind_(other.kind_), descriptor_(std::exchange(other.descriptor_, -1)), step_(other.step_) {}
  HostilePeer(const HostilePeer&) = delete;

  /// A little more of the same.
  void go_on() {
    char answer[4096];
    const auto got = ::recv(descriptor_, answer, sizeof answer, MSG_DONTWAIT);
    const bool over = got == 0 || (got < 0 && errno != EAGAIN);
    if (over) {
      ::close(descriptor_);
      begin();
      return;
    }
    const std::string name = fmt::format("X-{}", step_++);
    if (kind_ == 0) say(descriptor_, name.substr(0, 1));
    if (kind_ == 1) say(descriptor_, std::string(64, 'x'));
    if (kind_ == 3) say(descriptor_, name);
  }

 private:
  void begin() {
    descriptor_ = connect_to(port_);
    switch (kind_) {
      case 0:  // slow-loris: a header section that never ends, just under its bound
        say(descriptor_, "GET /hello HTTP/1.1\r\nHost: a\r\nX: " + std::string(15'000, 'x'));
        break;
      case 1:  // oversized: a body that is longer than it may be
        say(descriptor_, "POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" +
                             std::string(kPublicBody - 100, 'x'));
        break;
      case 2:  // half-closed, in the middle of a header
        say(descriptor_, "GET /hello HTTP/1.1\r\nHos");
        ::shutdown(descriptor_, SHUT_WR);
        break;
      default:  // garbage
        say(descriptor_, "\x16\x03\x01\x02 garbage \xff\xfe");
    }
  }
  std::uint16_t port_;
  int kind_;
  int descriptor_ = -1;
  int step_ = 0;
};

/// Latencies in microseconds of requests on one kept connection, one after another. `meanwhile` runs `rate` times a
/// second.
std::vector<double> measure(std::uint16_t port, int rate, const std::function<void()>& meanwhile) {
  const int descriptor = connect_to(port);
  std::vector<double> latencies;
  latencies.reserve(kRequests);
  auto next = Clock::now();
  for (int request = 0; request < kRequests; ++request) {
    if (Clock::now() > next) {
      meanwhile();
      next = Clock::now() + std::chrono::microseconds(1'000'000 / rate);
    }
    const auto start = Clock::now();
    if (!say(descriptor, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")) std::abort();
    char answer[4096];
    if (::recv(descriptor, answer, sizeof answer, 0) <= 0) std::abort();
    latencies.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  ::close(descriptor);
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
  ServerProcess() {
    int pipe[2];
    if (::pipe(pipe) != 0) std::abort();
    process_ = ::fork();
    if (process_ == 0) serve(pipe[1]);
    if (::read(pipe[0], &port_, sizeof port_) != sizeof port_) std::abort();
    ::close(pipe[0]);
    ::close(pipe[1]);
    measure(port_, 1, [] {});  // warm
  }
  ~ServerProcess() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  ServerProcess(const ServerProcess&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }
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
};

/// KiB that one peer of this kind adds to the server at most, while a hundred of them are there.
double memory_of(int kind) {
  const ServerProcess server;
  const long before = server.resident_kib();
  std::vector<HostilePeer> peers;
  for (int index = 0; index < kHostile; ++index) peers.emplace_back(server.port(), kind);
  long most = 0;
  std::size_t turn = 0;
  measure(server.port(), 500, [&] {
    peers[turn++ % peers.size()].go_on();
    most = std::max(most, server.resident_kib() - before);
  });
  return static_cast<double>(most) / kHostile;
}

/// p99 with and without the peers, in pairs; the median of the ratios.
double latency_ratio(int rate) {
  const ServerProcess server;
  std::vector<double> p50s[2];
  std::vector<double> p99s[2];
  std::vector<double> ratios;
  for (int round = 0; round < kRounds; ++round) {
    for (const int hostile : {0, 1}) {
      std::vector<HostilePeer> peers;
      for (int index = 0; index < hostile * kHostile; ++index) peers.emplace_back(server.port(), index);
      std::size_t turn = 0;
      const auto latencies = measure(server.port(), rate, [&] {
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
  const int rate = count > 1 ? std::max(1, std::atoi(arguments[1])) : 100;
  const double ratio = latency_ratio(rate);
  fmt::print("p99 ratio (median of {} pairs):         {:.2f}   aim: under 1.20\n", kRounds, ratio);
  bool small = true;
  for (int kind = 0; kind < 4; ++kind) {
    const double memory = memory_of(kind);
    small = small && memory < 64;
    fmt::print("memory of a {:<11} peer:          {:5.1f} KiB   aim: under 64\n", kKinds[kind], memory);
  }
  return ratio < 1.2 && small ? 0 : 1;
}
