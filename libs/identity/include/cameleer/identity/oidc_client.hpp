#pragma once
#include <cameleer/async/task.hpp>
#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/provider_token.hpp>
#include <functional>

/// An OpenID Connect relying party: discovery (OpenID Connect Discovery 1.0), keys, authorization code with PKCE (RFC
/// 7636), refresh, client credentials, UserInfo and RP-initiated logout. HTTP comes from outside (`Fetch`), so that
/// this library needs no sockets and a test can be a provider of its own.
namespace cameleer::identity {

struct FetchRequest {
  bool post = false;  ///< a form then: `body` is application/x-www-form-urlencoded
  std::string url;
  std::string body;
  std::string authorization;  ///< value of the header; empty: none
};
struct FetchAnswer {
  int status = 0;
  std::string body;  ///< at most 1 MiB
};
/// Follows no redirect, ends within 10 s; `unavailable` or `upstream_timeout` when the provider cannot be reached.
using Fetch = std::function<async::Task<Expected<FetchAnswer>>(FetchRequest)>;

struct OidcClientSettings {
  std::string issuer;         ///< as tokens and discovery document spell it
  std::string discovery_url;  ///< empty: `<issuer>/.well-known/openid-configuration`
  std::string client_id, client_secret;
  enum class Authentication : std::uint8_t { basic, post } authentication = Authentication::basic;
  std::string scope = "openid profile email";
  /// Sent with authorization and token requests: `resource`, …
  std::vector<std::pair<std::string, std::string>> token_parameters;
  std::chrono::seconds metadata_life{3'600};  ///< discovery and keys are asked for again after so long
  std::chrono::seconds refetch_interval{60};  ///< for a `kid` nobody knows the keys are asked for at most so often
};

/// What a provider says of itself; addresses are https, or http where the issuer is http too.
struct ProviderMetadata {
  std::string issuer, authorization_endpoint, token_endpoint, userinfo_endpoint, jwks_uri, end_session_endpoint;
  std::vector<std::string> code_challenge_methods;
};
/// `upstream_error` with the member that is wrong. The issuer must be equal byte by byte (Discovery, 4.3).
Expected<ProviderMetadata> read_metadata(std::string_view json, std::string_view issuer);

struct TokenAnswer {
  std::string access_token, id_token, refresh_token, token_type, scope;
  std::optional<std::chrono::seconds> expires_in;
};
/// The token endpoint's answer (RFC 6749, 5.1), or its error (5.2) as `upstream_error` with the provider's `error`
/// code.
Expected<TokenAnswer> read_token_answer(const FetchAnswer& answer);

/// The verifier and what the provider sees of it (S256).
struct Pkce {
  std::string verifier, challenge;
};
Pkce make_pkce(const Random& random);

/// `application/x-www-form-urlencoded`.
std::string form_of(const std::vector<std::pair<std::string, std::string>>& members);

/// One provider. Caches metadata and keys, and goes on with old ones when the provider is down. I/O thread only.
class OidcClient {
 public:
  OidcClient(OidcClientSettings settings, Fetch fetch, Clock clock);

  async::Task<Expected<ProviderMetadata>> metadata();

  /// A token of this provider. An unknown `kid` makes it ask for the keys again, at most once a `refetch_interval`.
  /// Refusals as values of their own, for they are counted; `unavailable` when there are no keys at all yet.
  using Verified = std::expected<ProviderClaims, TokenRejection>;
  async::Task<Expected<Verified>> verify(std::string token, ProviderExpectations expected);

  /// Where the browser goes: response_type=code, S256, state, nonce.
  struct Authorization {
    std::string redirect_uri, state, nonce, challenge;
    std::vector<std::pair<std::string, std::string>> more;  ///< `prompt=login`, …
  };
  async::Task<Expected<std::string>> authorization_url(Authorization request);
  async::Task<Expected<TokenAnswer>> exchange_code(std::string code, std::string redirect_uri, std::string verifier);
  /// `parameters` in place of those of the settings when not empty.
  async::Task<Expected<TokenAnswer>> refresh(std::string refresh_token,
                                             std::vector<std::pair<std::string, std::string>> parameters = {});
  async::Task<Expected<TokenAnswer>> client_credentials(
      std::vector<std::pair<std::string, std::string>> parameters = {});
  /// The claims as JSON. Another `sub` than `subject` is `upstream_error` (OpenID Connect Core, 5.3.2).
  async::Task<Expected<std::string>> user_info(std::string access_token, std::string subject);
  /// Empty when the provider has no logout of this kind.
  async::Task<Expected<std::string>> logout_url(std::string id_token_hint, std::string redirect_uri);

  /// What a test action shows: every step, whether it held, and in which words it failed.
  struct Check {
    std::string step;  ///< `discovery`, `metadata`, `pkce`, `keys`
    bool ok = false;
    std::string detail;
  };
  async::Task<std::vector<Check>> check();

  [[nodiscard]] const OidcClientSettings& settings() const { return settings_; }
  /// Whose signatures are not computed again as long as the provider's keys stay.
  [[nodiscard]] const SignatureCache& signatures() const { return signatures_; }

 private:
  async::Task<Expected<void>> ensure_metadata();
  async::Task<Expected<void>> ensure_keys(bool again);
  async::Task<Expected<TokenAnswer>> ask_for_tokens(std::vector<std::pair<std::string, std::string>> form);

  OidcClientSettings settings_;
  Fetch fetch_;
  Clock clock_;
  std::optional<ProviderMetadata> metadata_;
  std::optional<Instant> metadata_at_;
  std::shared_ptr<const JwkSet> keys_;
  std::string keys_text_;      ///< that `keys_` was read from
  SignatureCache signatures_;  ///< by `keys_`; another set empties it
  std::optional<Instant> keys_at_, keys_asked_at_;
};

}  // namespace cameleer::identity
