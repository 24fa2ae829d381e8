#include <fmt/format.h>

#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/oidc_client.hpp>

#include "token_reader.hpp"

namespace cameleer::identity {
namespace {

using Form = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kWellKnown = "/.well-known/openid-configuration";
constexpr std::size_t kMaxClaims = 256 * 1024, kMaxDepth = 32;
/// A provider that was down is asked again after so long while old metadata and keys serve.
constexpr std::chrono::seconds kRetry{10};

std::string discovery_url_of(const OidcClientSettings& settings) {
  if (!settings.discovery_url.empty()) return settings.discovery_url;
  auto base = settings.issuer;
  // Discovery 1.0, 4.1: a terminating slash is removed before the path is put on.
  if (base.ends_with('/')) base.pop_back();
  return base + std::string(kWellKnown);
}

std::string joined(std::string url, const std::string& query) {
  return url + (url.find('?') == std::string::npos ? "?" : "&") + query;
}

Expected<void> must_be_ok(const FetchAnswer& answer, std::string_view what) {
  if (answer.status == 200) return {};
  return fail(ErrorCode::upstream_error, fmt::format("The provider answered {} with status {}.", what, answer.status));
}

}  // namespace

OidcClient::OidcClient(OidcClientSettings settings, Fetch fetch, Clock clock)
    : settings_(std::move(settings)), fetch_(std::move(fetch)), clock_(std::move(clock)) {}

async::Task<Expected<void>> OidcClient::ensure_metadata() {
  const auto now = clock_();
  if (metadata_ && now - *metadata_at_ < settings_.metadata_life && now >= *metadata_at_) co_return Expected<void>{};
  const auto keep_old = [&](Error error) -> Expected<void> {
    if (!metadata_) return std::unexpected(std::move(error));
    metadata_at_ = now - settings_.metadata_life + kRetry;
    return {};
  };
  auto answer = co_await fetch_({.url = discovery_url_of(settings_), .body = {}, .authorization = {}});
  if (!answer) co_return keep_old(answer.error());
  if (auto ok = must_be_ok(*answer, "discovery"); !ok) co_return keep_old(ok.error());
  auto metadata = read_metadata(answer->body, settings_.issuer);
  if (!metadata) co_return keep_old(metadata.error());
  metadata_ = std::move(*metadata);
  metadata_at_ = now;
  co_return Expected<void>{};
}

async::Task<Expected<void>> OidcClient::ensure_keys(bool again) {
  const auto now = clock_();
  const bool fresh = keys_ && now - *keys_at_ < settings_.metadata_life && now >= *keys_at_;
  if (fresh && !again) co_return Expected<void>{};
  // Whoever sends tokens with invented key ids must not make us ask the provider for each.
  if (keys_ && keys_asked_at_ && now - *keys_asked_at_ < (again ? settings_.refetch_interval : kRetry)) {
    co_return Expected<void>{};
  }
  keys_asked_at_ = now;
  const auto keep_old = [&](Error error) -> Expected<void> {
    if (!keys_) return std::unexpected(std::move(error));
    return {};
  };
  if (auto known = co_await ensure_metadata(); !known) co_return keep_old(known.error());
  const auto url = metadata_->jwks_uri;
  auto answer = co_await fetch_({.url = url, .body = {}, .authorization = {}});
  if (!answer) co_return keep_old(answer.error());
  if (auto ok = must_be_ok(*answer, "its keys"); !ok) co_return keep_old(ok.error());
  if (!keys_ || answer->body != keys_text_) {
    auto keys = JwkSet::parse(answer->body);
    if (!keys) co_return keep_old(keys.error());
    keys_ = std::make_shared<const JwkSet>(std::move(*keys));
    keys_text_ = std::move(answer->body);
    signatures_.clear();
  }
  keys_at_ = now;
  co_return Expected<void>{};
}

async::Task<Expected<ProviderMetadata>> OidcClient::metadata() {
  if (auto known = co_await ensure_metadata(); !known) co_return std::unexpected(known.error());
  co_return *metadata_;
}

async::Task<Expected<OidcClient::Verified>> OidcClient::verify(std::string token, ProviderExpectations expected) {
  if (auto known = co_await ensure_keys(false); !known) co_return std::unexpected(known.error());
  auto keys = keys_;
  auto verified = verify_provider_token(*keys, token, expected, clock_(), &signatures_);
  if (verified || verified.error() != TokenRejection::unknown_key) co_return verified;
  if (auto known = co_await ensure_keys(true); !known) co_return std::unexpected(known.error());
  if (keys_ == keys) co_return verified;
  keys = keys_;
  co_return verify_provider_token(*keys, token, expected, clock_(), &signatures_);
}

async::Task<Expected<std::string>> OidcClient::authorization_url(Authorization request) {
  auto known = co_await metadata();
  if (!known) co_return std::unexpected(known.error());
  Form form{{"response_type", "code"},
            {"client_id", settings_.client_id},
            {"redirect_uri", request.redirect_uri},
            {"scope", settings_.scope},
            {"state", request.state},
            {"nonce", request.nonce},
            {"code_challenge", request.challenge},
            {"code_challenge_method", "S256"}};
  form.insert(form.end(), settings_.token_parameters.begin(), settings_.token_parameters.end());
  form.insert(form.end(), request.more.begin(), request.more.end());
  co_return joined(known->authorization_endpoint, form_of(form));
}

async::Task<Expected<TokenAnswer>> OidcClient::ask_for_tokens(Form form) {
  auto known = co_await metadata();
  if (!known) co_return std::unexpected(known.error());
  FetchRequest request{.post = true, .url = known->token_endpoint, .body = {}, .authorization = {}};
  if (settings_.authentication == OidcClientSettings::Authentication::basic && !settings_.client_secret.empty()) {
    // RFC 6749, 2.3.1: both halves are form-encoded before they are joined.
    const auto encoded = [](const std::string& text) { return form_of({{"", text}}).substr(1); };
    request.authorization = "Basic " + base64(encoded(settings_.client_id) + ":" + encoded(settings_.client_secret));
  } else {
    form.emplace_back("client_id", settings_.client_id);
    if (!settings_.client_secret.empty()) form.emplace_back("client_secret", settings_.client_secret);
  }
  request.body = form_of(form);
  auto answer = co_await fetch_(std::move(request));
  if (!answer) co_return std::unexpected(answer.error());
  co_return read_token_answer(*answer);
}

async::Task<Expected<TokenAnswer>> OidcClient::exchange_code(std::string code, std::string redirect_uri,
                                                             std::string verifier) {
  Form form{{"grant_type", "authorization_code"},
            {"code", std::move(code)},
            {"redirect_uri", std::move(redirect_uri)},
            {"code_verifier", std::move(verifier)}};
  co_return co_await ask_for_tokens(std::move(form));
}

async::Task<Expected<TokenAnswer>> OidcClient::refresh(std::string refresh_token, Form parameters) {
  Form form{{"grant_type", "refresh_token"}, {"refresh_token", std::move(refresh_token)}};
  const auto& more = parameters.empty() ? settings_.token_parameters : parameters;
  form.insert(form.end(), more.begin(), more.end());
  co_return co_await ask_for_tokens(std::move(form));
}

async::Task<Expected<TokenAnswer>> OidcClient::client_credentials(Form parameters) {
  Form form{{"grant_type", "client_credentials"}};
  const auto& more = parameters.empty() ? settings_.token_parameters : parameters;
  form.insert(form.end(), more.begin(), more.end());
  co_return co_await ask_for_tokens(std::move(form));
}

async::Task<Expected<std::string>> OidcClient::user_info(std::string access_token, std::string subject) {
  auto known = co_await metadata();
  if (!known) co_return std::unexpected(known.error());
  if (known->userinfo_endpoint.empty()) {
    co_return fail(ErrorCode::upstream_error, "The provider has no UserInfo endpoint.", "userinfo_endpoint");
  }
  FetchRequest request{.url = known->userinfo_endpoint, .body = {}, .authorization = "Bearer " + access_token};
  auto answer = co_await fetch_(std::move(request));
  if (!answer) co_return std::unexpected(answer.error());
  if (auto ok = must_be_ok(*answer, "UserInfo"); !ok) co_return std::unexpected(ok.error());
  const auto claims = answer->body.size() <= kMaxClaims ? TokenObject::parse(answer->body, kMaxDepth) : std::nullopt;
  bool ok = true;
  if (!claims) co_return fail(ErrorCode::upstream_error, "UserInfo is not a JSON object.");
  if (claims->text("sub", ok) != subject || !ok) {
    co_return fail(ErrorCode::upstream_error, "UserInfo is about another subject than the ID token.", "sub");
  }
  co_return std::move(answer->body);
}

async::Task<Expected<std::string>> OidcClient::logout_url(std::string id_token_hint, std::string redirect_uri) {
  auto known = co_await metadata();
  if (!known) co_return std::unexpected(known.error());
  if (known->end_session_endpoint.empty()) co_return std::string();
  Form form{{"client_id", settings_.client_id}};
  if (!id_token_hint.empty()) form.emplace_back("id_token_hint", std::move(id_token_hint));
  if (!redirect_uri.empty()) form.emplace_back("post_logout_redirect_uri", std::move(redirect_uri));
  co_return joined(known->end_session_endpoint, form_of(form));
}

async::Task<std::vector<OidcClient::Check>> OidcClient::check() {
  std::vector<Check> checks;
  auto answer = co_await fetch_({.url = discovery_url_of(settings_), .body = {}, .authorization = {}});
  const auto status = answer ? must_be_ok(*answer, "discovery") : Expected<void>(std::unexpected(answer.error()));
  checks.push_back(
      {"discovery", status.has_value(), status ? "Fetched " + discovery_url_of(settings_) : status.error().message});
  if (!status) co_return checks;
  const auto metadata = read_metadata(answer->body, settings_.issuer);
  checks.push_back(
      {"metadata", metadata.has_value(),
       metadata ? "The issuer is the one of the settings; all addresses are usable." : metadata.error().message});
  if (!metadata) co_return checks;
  const bool s256 =
      metadata->code_challenge_methods.empty() ||
      std::ranges::find(metadata->code_challenge_methods, "S256") != metadata->code_challenge_methods.end();
  checks.push_back({"pkce", s256,
                    s256 ? "PKCE with S256 is supported, or not spoken of."
                         : "The provider says that it does not support PKCE with S256."});
  answer = co_await fetch_({.url = metadata->jwks_uri, .body = {}, .authorization = {}});
  const auto fetched = answer ? must_be_ok(*answer, "its keys") : Expected<void>(std::unexpected(answer.error()));
  const auto keys = fetched ? JwkSet::parse(answer->body) : Expected<JwkSet>(std::unexpected(fetched.error()));
  const bool usable = keys && !keys->keys().empty();
  checks.push_back(
      {"keys", usable,
       !keys    ? keys.error().message
       : usable ? fmt::format("{} keys can verify tokens, {} cannot.", keys->keys().size(), keys->skipped().size())
                : fmt::format("None of {} keys can verify tokens.", keys->skipped().size())});
  co_return checks;
}

}  // namespace cameleer::identity
