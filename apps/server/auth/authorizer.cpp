#include "server/auth/authorizer.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <cameleer/identity/provider_token.hpp>

namespace cameleer::server {
namespace {

using Kind = Principal::Kind;

constexpr std::string_view kBearer = "bearer ";
constexpr std::size_t kMaxKnownKeys = 10'000;
constexpr std::chrono::hours kWithoutDatabase{1};
constexpr std::chrono::seconds kNoteInterval{5};
constexpr std::array<std::string_view, 3> kNoChange{"logout", "testClaimMappings", "testOidcConfiguration"};

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? a + 32 : a) == (b >= 'A' && b <= 'Z' ? b + 32 : b);
  });
}

/// `https://host:8443` without the port that the scheme has anyway; empty when it is no http(s) address.
std::string origin_of(std::string_view url) {
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed || !parsed->has_authority()) return {};
  std::string scheme(parsed->scheme());
  std::string host(parsed->encoded_host());
  for (auto* text : {&scheme, &host}) {
    for (auto& c : *text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  const std::string_view usual = scheme == "https" ? "443" : scheme == "http" ? "80" : "";
  if (usual.empty() || host.empty()) return {};
  std::string origin = scheme + "://" + host;
  if (const std::string port(parsed->port()); !port.empty() && port != usual) origin += ":" + port;
  return origin;
}

bool changes_something(web::Method method) {
  return method != web::Method::get && method != web::Method::head && method != web::Method::options;
}

enum class Need : std::uint8_t { nothing, user, permission, api_key, agent, agent_stream, agent_refresh };

std::optional<Need> need_of(std::string_view access) {
  if (access == "public") return Need::nothing;
  if (access == "signed_in") return Need::user;
  if (access == "api_key") return Need::api_key;
  if (access == "agent") return Need::agent;
  if (access == "agent_stream") return Need::agent_stream;
  if (access == "agent_refresh") return Need::agent_refresh;
  if (rbac::permission_of(access)) return Need::permission;
  return std::nullopt;
}

std::unexpected<Error> refuse_change(const DatabaseWatch& database) {
  const auto grace = std::chrono::duration<double>(database.grace()).count();
  return fail(ErrorCode::unavailable,
              fmt::format("PostgreSQL has not been reachable for {} s: changes are refused until it is back.", grace));
}

class AccessControl {
 public:
  AccessControl(AuthService& auth, TokenService& tokens, EnvironmentService& environments, OriginRule origins,
                UserTokenRules user_tokens, const DatabaseWatch* database)
      : auth_(auth),
        tokens_(tokens),
        environments_(environments),
        origins_(std::move(origins)),
        user_tokens_(user_tokens),
        database_(database) {}

  async::Task<Expected<void>> admit(web::Request& request, const web::Route& route) {
    const auto need = need_of(route.access.name);
    if (!need) co_return fail(ErrorCode::internal, "The route has an unknown access name.");
    if (database_ != nullptr && database_->outage() && is_change(route)) co_return refuse_change(*database_);
    switch (*need) {
      case Need::nothing:
        co_return Expected<void>{};
      case Need::user:
      case Need::permission:
        co_return co_await admit_user(request, route);
      case Need::api_key:
        co_return co_await admit_key(request);
      case Need::agent:
        co_return co_await admit_agent(request, identity::TokenType::access, bearer_of(request));
      case Need::agent_stream:
        co_return co_await admit_agent(request, identity::TokenType::access, stream_token_of(request));
      case Need::agent_refresh:
        co_return co_await admit_agent(request, identity::TokenType::refresh, bearer_of(request));
    }
    co_return fail(ErrorCode::internal, "The route has an unknown access name.");
  }

 private:
  async::Task<Expected<void>> admit_user(web::Request& request, const web::Route& route) {
    auto principal = co_await find_user(request);
    if (!principal) co_return std::unexpected(principal.error());
    const auto permission = rbac::permission_of(route.access.name);
    if (permission && !(*principal)->permissions.has(*permission)) {
      co_return fail(ErrorCode::forbidden, fmt::format("This needs the permission {}.", route.access.name));
    }
    request.principal = std::move(*principal);
    co_return Expected<void>{};
  }

  async::Task<Expected<std::shared_ptr<const Principal>>> find_user(web::Request& request) {
    const bool authorization = !request.header("authorization").empty();
    if (const auto token = bearer_of(request); !token.empty()) {
      // What the token says of itself chooses who verifies it, once; the other is never asked.
      const bool ours = identity::unverified_issuer(token) == tokens_.settings().issuer;
      if (!ours && user_tokens_.foreign != nullptr) {
        auto principal = co_await user_tokens_.foreign->principal_of_token(std::string(token), request);
        if (!principal || *principal) co_return principal;
      }
      if (!user_tokens_.own) co_return fail(ErrorCode::invalid_token, "Only tokens of the OpenID provider count here.");
      auto claims = tokens_.verify(token, TokenSubject::Kind::user, identity::TokenType::access);
      if (!claims) co_return std::unexpected(claims.error());
      co_return co_await auth_.principal_of_user_token(std::move(*claims));
    }
    const auto session = session_of(request);
    if (authorization || session.empty())
      co_return fail(ErrorCode::unauthenticated, "Sign in, or send a bearer token.");
    if (changes_something(request.method) && !origins_.allows(request)) {
      co_return fail(ErrorCode::foreign_origin, "A change with the session cookie needs the server's own Origin.",
                     "Origin");
    }
    auto principal = co_await auth_.principal_of_session(std::string(session));
    if (!principal || user_tokens_.sessions == nullptr || is_lost()) co_return principal;
    auto renewed = co_await user_tokens_.sessions->keep((*principal)->token_id, request);
    if (!renewed && is_lost()) co_return principal;
    if (!renewed) co_return std::unexpected(renewed.error());
    if (*renewed) co_return co_await auth_.principal_of_session(std::string(session));
    co_return principal;
  }

  async::Task<Expected<void>> admit_key(web::Request& request) {
    const auto secret = bearer_of(request);
    if (secret.empty()) co_return fail(ErrorCode::unauthenticated, "Send an API key as bearer token.");
    auto owner = co_await environments_.owner_of(std::string(secret));
    if (!owner) co_return std::unexpected(owner.error());
    if (!*owner) co_return fail(ErrorCode::invalid_credentials, "The API key is unknown, revoked or past its grace.");
    auto principal = std::make_shared<Principal>();
    principal->kind = Kind::api_key;
    principal->environment = (*owner)->environment;
    principal->data_name = (*owner)->data_name;
    principal->key_ref = (*owner)->key_ref;
    request.principal = std::move(principal);
    co_return Expected<void>{};
  }

  /// Event sources of browsers cannot set a header.
  static std::string_view stream_token_of(const web::Request& request) {
    const auto token = bearer_of(request);
    return token.empty() ? request.query_value("token").value_or("") : token;
  }

  async::Task<Expected<void>> admit_agent(web::Request& request, identity::TokenType type, std::string_view token) {
    if (token.empty()) co_return fail(ErrorCode::unauthenticated, "Send the agent's token as bearer token.");
    auto claims = tokens_.verify(token, TokenSubject::Kind::agent, type);
    if (!claims) co_return std::unexpected(claims.error());
    const auto& parameters = request.path_parameters;
    const bool named = std::ranges::any_of(parameters, [](const auto& pair) { return pair.first == "agentId"; });
    if (named && request.path_parameter("agentId") != claims->subject) {
      co_return fail(ErrorCode::foreign_agent, "The token belongs to another agent.", "agentId");
    }
    auto owner = co_await owner_of(claims->key_ref);
    if (!owner) co_return std::unexpected(owner.error());
    if (!*owner || (*owner)->environment != claims->environment)
      co_return fail(ErrorCode::invalid_token, "The API key that the token came from does not count any more.");
    auto principal = std::make_shared<Principal>();
    principal->kind = type == identity::TokenType::access ? Kind::agent : Kind::agent_refresh;
    principal->id = std::move(claims->subject);
    principal->environment = std::move(claims->environment);
    principal->data_name = std::move((*owner)->data_name);
    principal->application = std::move(claims->application);
    principal->key_ref = std::move(claims->key_ref);
    principal->token_id = std::move(claims->token_id);
    principal->token_expires_at = claims->expires_at;
    request.principal = std::move(principal);
    co_return Expected<void>{};
  }

  [[nodiscard]] bool is_lost() const { return database_ != nullptr && !database_->reached(); }

  /// While the database is lost, an agent whose key counted within the hour goes on.
  async::Task<Expected<std::optional<KeyOwner>>> owner_of(std::string key_ref) {
    if (database_ == nullptr) co_return co_await environments_.owner_of_ref(std::move(key_ref));
    const auto now = database_->now();
    if (is_lost()) {
      if (const auto* known = counted_keys_.find(key_ref, now)) co_return *known;
    }
    auto owner = co_await environments_.owner_of_ref(key_ref);
    if (!owner) {
      const auto* known = is_lost() ? counted_keys_.find(key_ref, now) : nullptr;
      if (known != nullptr) co_return *known;
    } else if (!*owner) {
      counted_keys_.erase(key_ref);
    } else if (counted_keys_.find(key_ref, now, kNoteInterval) == nullptr) {
      counted_keys_.put(key_ref, **owner, now);
    }
    co_return owner;
  }

  AuthService& auth_;
  TokenService& tokens_;
  EnvironmentService& environments_;
  OriginRule origins_;
  UserTokenRules user_tokens_;
  const DatabaseWatch* database_;
  identity::Recent<KeyOwner> counted_keys_{kMaxKnownKeys, kWithoutDatabase};
};

}  // namespace

OriginRule::OriginRule(std::string_view public_url) : public_origin_(origin_of(public_url)) {}

bool OriginRule::allows(const web::Request& request) const {
  const auto presented = origin_of(request.header("origin"));
  if (presented.empty()) return false;
  if (presented == public_origin_) return true;
  return presented == origin_of((request.secure ? "https://" : "http://") + std::string(request.header("host")));
}

std::string_view cookie_value(const web::Request& request, std::string_view name) {
  for (const auto& header : request.headers) {
    if (!equal_ignoring_case(header.name, "cookie")) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const auto end = std::min(rest.find(';'), rest.size());
      auto pair = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
      if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) return pair.substr(name.size() + 1);
    }
  }
  return {};
}

std::string_view session_of(const web::Request& request) {
  return cookie_value(request, kSessionCookie);
}

std::string session_cookie(const web::Request& request, std::string_view base_path, std::string_view session) {
  return fmt::format("{}={}; Path={}; HttpOnly; SameSite=Strict{}{}", kSessionCookie, session,
                     base_path.empty() ? "/" : base_path, request.secure ? "; Secure" : "",
                     session.empty() ? "; Max-Age=0" : "");
}

std::string_view bearer_of(const web::Request& request) {
  auto value = request.header("authorization");
  if (value.size() <= kBearer.size() || !equal_ignoring_case(value.substr(0, kBearer.size()), kBearer)) return {};
  value.remove_prefix(kBearer.size());
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return value;
}

web::Authorizer make_authorizer(AuthService& auth, TokenService& tokens, EnvironmentService& environments,
                                OriginRule origins, UserTokenRules user_tokens, const DatabaseWatch* database) {
  auto control = std::make_shared<AccessControl>(auth, tokens, environments, std::move(origins), user_tokens, database);
  return [control](web::Request& request, const web::Route& route) { return control->admit(request, route); };
}

bool is_change(const web::Route& route) {
  const auto need = need_of(route.access.name);
  const bool by_people = need == Need::nothing || need == Need::user || need == Need::permission;
  return by_people && changes_something(route.method) &&
         std::ranges::find(kNoChange, route.operation_id) == kNoChange.end();
}

Expected<void> check_access_names(const web::Router& router) {
  for (const auto& route : router.routes()) {
    if (need_of(route.access.name)) continue;
    return fail(ErrorCode::bad_configuration,
                fmt::format("{} {} has the access name '{}', which nobody understands.", web::name_of(route.method),
                            route.pattern, route.access.name),
                route.operation_id);
  }
  return {};
}

}  // namespace cameleer::server
