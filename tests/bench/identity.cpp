// What the verification of a token costs, in this process: of one that was seen before, and of one that was not. And
// tokens for the benchmark over HTTP.
//
//   bench_identity                                     one line of JSON a row
//   bench_identity mint MASTERKEY TOKEN COUNT          access tokens as TOKEN is, each with an id of its own
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cameleer/identity/jwt.hpp>
#include <cameleer/identity/oidc_client.hpp>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <numeric>

#include "provider_keys.hpp"

namespace {

using namespace cameleer;
using namespace cameleer::identity;

constexpr int kRounds = 5;
constexpr std::size_t kMoreThanCached = SignatureCache::most_tokens + 2'000;
constexpr std::size_t kProviderTokens = 600;  // of a round: each is new once
const std::string kIssuer = "https://login.example/oidc";
const std::string kOurs = "cameleer-server:default";
const Expectations kExpected{.issuer = kOurs, .audiences = {"cameleer-api", "cameleer-agent"}};

Instant now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

Claims own_claims(const std::string& id) {
  return {.issuer = kOurs,
          .audience = "cameleer-api",
          .subject = "0d4b3f4e-6a51-4d0e-9f6e-5a1f0c9d7b21",
          .token_id = id,
          .family = "4f3c2b1a-0000-4000-8000-000000000001",
          .application = {},
          .environment = {},
          .key_ref = {},
          .roles = {},
          .issued_at = now(),
          .expires_at = now() + std::chrono::hours(1)};
}

void must(bool held) {
  if (!held) throw std::runtime_error("a token that is right was refused");
}

struct Row {
  std::string name;
  std::vector<double> microseconds = {};  // of one verification, by round
  std::size_t token_bytes = 0;
};

void show(Row row) {
  std::ranges::sort(row.microseconds);
  std::cout << fmt::format(R"({{"name":"{}","best":{:.3f},"median":{:.3f},"tokenBytes":{}}})", row.name,
                           row.microseconds.front(), row.microseconds[row.microseconds.size() / 2], row.token_bytes)
            << std::endl;
}

/// Processor time in microseconds, which others on the machine do not change much; `openssl speed` counts it too.
double spent() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

double microseconds_each(double since, std::size_t times) {
  return (spent() - since) / static_cast<double>(times);
}

void own_tokens() {
  const Keys keys(MasterKey::from_bytes(std::string(32, 'k')));
  std::vector<std::string> tokens;
  while (tokens.size() < kMoreThanCached) tokens.push_back(issue(keys, own_claims(random_uuid(system_random()))));
  SignatureCache cache;
  Row cached{.name = "HS256 cached", .token_bytes = tokens[0].size()};
  Row uncached{.name = "HS256 uncached", .token_bytes = tokens[0].size()};
  for (int round = 0; round < kRounds; ++round) {
    auto since = spent();
    for (const auto& token : tokens) must(verify(keys, token, kExpected, now(), &cache).has_value());
    uncached.microseconds.push_back(microseconds_each(since, tokens.size()));
    since = spent();
    for (std::size_t i = 0; i < 5 * tokens.size(); ++i) {
      must(verify(keys, tokens.back(), kExpected, now(), &cache).has_value());
    }
    cached.microseconds.push_back(microseconds_each(since, 5 * tokens.size()));
  }
  show(std::move(cached));
  show(std::move(uncached));
}

/// What the provider answers, without a network.
async::Task<Expected<FetchAnswer>> answer(const std::string* keys, FetchRequest request) {
  if (request.url.ends_with("/jwks")) co_return FetchAnswer{.status = 200, .body = *keys};
  co_return FetchAnswer{
      .status = 200,
      .body = fmt::format(R"({{"issuer":"{0}","authorization_endpoint":"{0}/auth","token_endpoint":"{0}/token",)"
                          R"("jwks_uri":"{0}/jwks"}})",
                          kIssuer)};
}

async::Task<> verify_all(OidcClient& client, const std::vector<std::string>& tokens, std::size_t repeat, double& each) {
  const auto since = spent();
  for (const auto& token : tokens) {
    for (std::size_t i = 0; i < repeat; ++i) {
      const auto verified =
          co_await client.verify(token, {.issuer = kIssuer, .audience = "api", .required_claims = {}, .nonce = {}});
      must(verified && *verified);
    }
  }
  each = microseconds_each(since, tokens.size() * repeat);
}

void provider_tokens(const std::string& algorithm) {
  const ProviderKey key(algorithm, "key-1");
  const auto keys = jwk_set({key.jwk()});
  OidcClientSettings settings;
  settings.issuer = kIssuer;
  OidcClient client(
      std::move(settings), [&](FetchRequest request) { return answer(&keys, std::move(request)); },
      [] { return now(); });
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now().time_since_epoch()).count();
  int made = 0;
  const auto token = [&] {
    return key.token(fmt::format(R"({{"iss":"{}","sub":"somebody","aud":"api","iat":{},"exp":{},"jti":"{}",)"
                                 R"("client_id":"cameleer","scope":"server:viewer","organization_id":"org-1"}})",
                                 kIssuer, seconds, seconds + 3600, ++made),
                     R"(,"typ":"at+jwt")");
  };
  Row cached{.name = algorithm + " cached"}, uncached{.name = algorithm + " uncached"};
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::string> tokens;
    while (tokens.size() < kProviderTokens) tokens.push_back(token());
    cached.token_bytes = uncached.token_bytes = tokens[0].size();
    boost::asio::io_context io;
    double first = 0, again = 0;
    const auto both = [&]() -> async::Task<> {
      co_await verify_all(client, tokens, 1, first);
      co_await verify_all(client, tokens, 100, again);
    };
    boost::asio::co_spawn(io.get_executor(), both(), [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
    });
    io.run();
    uncached.microseconds.push_back(first);
    cached.microseconds.push_back(again);
  }
  show(std::move(cached));
  show(std::move(uncached));
}

int mint(std::string_view master_key, std::string_view token, std::size_t count) {
  const auto root = MasterKey::parse(master_key);
  if (!root) return 2;
  const Keys keys(*root);
  auto claims = verify(keys, token, kExpected, now());
  if (!claims) return 2;
  for (std::size_t i = 0; i < count; ++i) {
    claims->token_id = random_uuid(system_random());
    std::cout << issue(keys, *claims) << '\n';
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv, argv + argc);
  if (arguments.size() == 5 && arguments[1] == "mint") {
    return mint(arguments[2], arguments[3], std::strtoul(arguments[4].data(), nullptr, 10));
  }
  own_tokens();
  provider_tokens("ES384");
  return 0;
}
