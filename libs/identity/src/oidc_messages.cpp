#include <fmt/format.h>

#include <boost/url/encode.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <boost/url/url_view.hpp>
#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/oidc_client.hpp>

#include "token_reader.hpp"

namespace cameleer::identity {
namespace {

constexpr std::size_t kMaxDocument = 256 * 1024, kMaxDepth = 16;
constexpr std::int64_t kLongestLife = 30 * 24 * 3'600;

std::unexpected<Error> wrong(std::string message, std::string member = {}) {
  return fail(ErrorCode::upstream_error, std::move(message), std::move(member));
}

/// An address that secrets may be sent to: https, or http when the issuer itself is.
bool is_acceptable(std::string_view address, bool issuer_is_plain) {
  const auto url = boost::urls::parse_uri(address);
  if (!url || url->encoded_host().empty() || url->has_userinfo() || url->has_fragment()) return false;
  return url->scheme_id() == boost::urls::scheme::https ||
         (issuer_is_plain && url->scheme_id() == boost::urls::scheme::http);
}

/// A provider's own words in a message of ours: short, and nothing but printable ASCII.
std::string quoted_words(std::string_view text) {
  std::string words;
  for (const char c : text.substr(0, 200)) words += c >= ' ' && c <= '~' ? c : '?';
  return words;
}

}  // namespace

Expected<ProviderMetadata> read_metadata(std::string_view json, std::string_view issuer) {
  if (json.size() > kMaxDocument) return wrong("The discovery document is too large.");
  const auto document = TokenObject::parse(std::string(json), kMaxDepth);
  if (!document) return wrong("The discovery document is not a JSON object.");
  bool ok = true;
  ProviderMetadata metadata{.issuer = document->text("issuer", ok),
                            .authorization_endpoint = document->text("authorization_endpoint", ok),
                            .token_endpoint = document->text("token_endpoint", ok),
                            .userinfo_endpoint = document->text("userinfo_endpoint", ok),
                            .jwks_uri = document->text("jwks_uri", ok),
                            .end_session_endpoint = document->text("end_session_endpoint", ok),
                            .code_challenge_methods = {}};
  if (!ok) return wrong("A member of the discovery document is not a text.");
  if (metadata.issuer != issuer) {
    return wrong(
        fmt::format("The discovery document names the issuer '{}', the settings name '{}'; they must be equal, "
                    "a slash at the end included.",
                    quoted_words(metadata.issuer), quoted_words(issuer)),
        "issuer");
  }
  const bool plain = issuer.starts_with("http://");
  const std::tuple<const char*, std::string*, bool> addresses[] = {
      {"authorization_endpoint", &metadata.authorization_endpoint, true},
      {"token_endpoint", &metadata.token_endpoint, true},
      {"jwks_uri", &metadata.jwks_uri, true},
      {"userinfo_endpoint", &metadata.userinfo_endpoint, false},
      {"end_session_endpoint", &metadata.end_session_endpoint, false}};
  for (const auto& [name, address, required] : addresses) {
    if (address->empty() && !required) continue;
    if (!is_acceptable(*address, plain)) {
      return wrong(fmt::format("{} of the discovery document must be an https address.", name), name);
    }
  }
  simdjson::dom::array methods;
  if (const auto member = document->find("code_challenge_methods_supported");
      member && member->get(methods) == simdjson::SUCCESS) {
    for (const auto method : methods) {
      std::string_view text;
      if (method.get(text) == simdjson::SUCCESS) metadata.code_challenge_methods.emplace_back(text);
    }
  }
  return metadata;
}

Expected<TokenAnswer> read_token_answer(const FetchAnswer& answer) {
  const auto document = answer.body.size() <= kMaxDocument ? TokenObject::parse(answer.body, kMaxDepth) : std::nullopt;
  bool ok = true;
  if (answer.status != 200) {
    const auto code = document ? document->text("error", ok) : std::string();
    const auto words = document ? document->text("error_description", ok) : std::string();
    return wrong(fmt::format("The provider refused with {}{}{}.",
                             code.empty() ? "status " + std::to_string(answer.status) : quoted_words(code),
                             words.empty() ? "" : ": ", quoted_words(words)),
                 quoted_words(code));
  }
  if (!document) return wrong("The token answer is not a JSON object.");
  TokenAnswer tokens{.access_token = document->text("access_token", ok),
                     .id_token = document->text("id_token", ok),
                     .refresh_token = document->text("refresh_token", ok),
                     .token_type = document->text("token_type", ok),
                     .scope = document->text("scope", ok),
                     .expires_in = std::nullopt};
  std::int64_t seconds = 0;
  if (const auto member = document->find("expires_in")) {
    // Some providers send it as a text.
    std::string_view text;
    if (member->get(text) == simdjson::SUCCESS) {
      for (const char c : text.substr(0, 9)) seconds = c >= '0' && c <= '9' ? seconds * 10 + (c - '0') : -1;
    } else if (member->get(seconds) != simdjson::SUCCESS) {
      seconds = -1;
    }
    if (seconds < 0) return wrong("expires_in of the token answer is not a number of seconds.", "expires_in");
    tokens.expires_in = std::chrono::seconds(std::min(seconds, kLongestLife));
  }
  if (!ok || tokens.access_token.empty()) return wrong("The token answer has no access_token.", "access_token");
  std::string type;
  for (const char c : tokens.token_type) type += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  if (type != "bearer") return wrong("The token answer is not of the type Bearer.", "token_type");
  return tokens;
}

Pkce make_pkce(const Random& random) {
  Pkce pkce{.verifier = random_token(random), .challenge = {}};
  pkce.challenge = base64url(sha256(pkce.verifier));
  return pkce;
}

std::string form_of(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string form;
  for (const auto& [name, value] : members) {
    if (!form.empty()) form += '&';
    form += boost::urls::encode(name, boost::urls::unreserved_chars);
    form += '=';
    form += boost::urls::encode(value, boost::urls::unreserved_chars);
  }
  return form;
}

}  // namespace cameleer::identity
