#include "server/oidc/provider_fetch.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <cameleer/web/client.hpp>
#include <list>

namespace cameleer::server {
namespace {

constexpr std::size_t kMaxOrigins = 16;
constexpr std::size_t kMaxAnswer = 1u << 20;
constexpr std::chrono::seconds kDeadline{10};

struct Origins {
  async::Executor executor;
  std::string ca_file;
  std::list<std::pair<std::string, std::shared_ptr<web::Client>>> clients;  ///< the one used last first
};

struct Address {
  std::string origin, target;
};

Expected<Address> address_of(const std::string& url) {
  const auto parsed = boost::urls::parse_uri(url);
  const bool http = parsed && (parsed->scheme() == "http" || parsed->scheme() == "https");
  if (!http || parsed->encoded_host().empty() || parsed->has_userinfo()) {
    return fail(ErrorCode::bad_configuration, "An address of the provider is not http or https.");
  }
  Address address;
  address.origin = std::string(parsed->scheme()) + "://" + std::string(parsed->encoded_host_and_port());
  address.target = std::string(parsed->encoded_path());
  if (address.target.empty()) address.target = "/";
  if (parsed->has_query()) address.target += "?" + std::string(parsed->encoded_query());
  return address;
}

Expected<std::shared_ptr<web::Client>> client_for(Origins& origins, const std::string& origin) {
  auto& clients = origins.clients;
  const auto known = std::ranges::find(clients, origin, [](const auto& pair) { return pair.first; });
  if (known != clients.end()) {
    clients.splice(clients.begin(), clients, known);
    return known->second;
  }
  auto endpoint = web::Endpoint::parse(origin);
  if (!endpoint) return std::unexpected(endpoint.error());
  auto client = std::make_shared<web::Client>(
      origins.executor, std::move(*endpoint),
      web::ClientOptions{.max_response_bytes = kMaxAnswer, .tls_ca_file = origins.ca_file});
  clients.emplace_front(origin, client);
  if (clients.size() > kMaxOrigins) clients.pop_back();
  return client;
}

async::Task<Expected<identity::FetchAnswer>> fetch(std::shared_ptr<Origins> origins, identity::FetchRequest wanted) {
  const auto address = address_of(wanted.url);
  if (!address) co_return std::unexpected(address.error());
  auto client = client_for(*origins, address->origin);
  if (!client) co_return std::unexpected(client.error());
  web::ClientRequest request{.method = wanted.post ? web::Method::post : web::Method::get,
                             .target = address->target,
                             .headers = {{"Accept", "application/json"}},
                             .body = std::move(wanted.body),
                             .deadline = kDeadline,
                             .idempotent = !wanted.post};
  if (wanted.post) request.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
  if (!wanted.authorization.empty()) request.headers.push_back({"Authorization", std::move(wanted.authorization)});
  auto answer = co_await (*client)->send(std::move(request));
  if (!answer) co_return std::unexpected(answer.error());
  co_return identity::FetchAnswer{.status = answer->status, .body = std::move(answer->body)};
}

}  // namespace

identity::Fetch make_provider_fetch(async::Executor executor, std::string ca_file) {
  auto origins =
      std::make_shared<Origins>(Origins{.executor = std::move(executor), .ca_file = std::move(ca_file), .clients = {}});
  return [origins](identity::FetchRequest request) { return fetch(origins, std::move(request)); };
}

}  // namespace cameleer::server
