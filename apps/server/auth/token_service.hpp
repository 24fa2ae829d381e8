#pragma once
#include <cameleer/identity/jwt.hpp>

#include "server/auth/token_store.hpp"

namespace cameleer::server {

struct TokenSettings {
  std::string issuer = "cameleer-server:default";  ///< `cameleer-server:<tenant>`
  std::chrono::seconds access_life{3'600};
  std::chrono::seconds refresh_life{7 * 24 * 3'600};
  std::chrono::seconds successor_time{30};  ///< a spent refresh token gives the same successor for so long
};

struct TokenPair {
  std::string access;
  std::string refresh;
  std::chrono::seconds expires_in{};  ///< of the access token
};

/// Issues, rotates and verifies the server's own tokens, of users and of agents. I/O thread only.
class TokenService {
 public:
  TokenService(const identity::Keys& keys, postgres::Pool& pool, Clock clock, Random random, TokenSettings settings);

  /// A new family.
  async::Task<Expected<TokenPair>> issue(TokenSubject subject);

  /// Spends a verified refresh token, by its `jti`. Once more within `successor_time`: the same pair. Later:
  /// `invalid_token`, and the family ends, because two parties hold the token.
  async::Task<Expected<TokenPair>> rotate(std::string token_id);
  /// Whether `rotate` failed because the token was used before.
  [[nodiscard]] static bool is_reuse(const Error& error);
  async::Task<Expected<void>> revoke_family(std::string family);

  /// Signature, times and kind; what the token's user or key has become is the caller's to ask.
  [[nodiscard]] Expected<identity::Claims> verify(std::string_view token, TokenSubject::Kind kind,
                                                  identity::TokenType type);
  /// Any of our tokens; the kind is told by `kind_of`.
  [[nodiscard]] Expected<identity::Claims> verify_any(std::string_view token);
  [[nodiscard]] static TokenSubject::Kind kind_of(const identity::Claims& claims);

  async::Task<Expected<void>> delete_expired();
  [[nodiscard]] const TokenSettings& settings() const { return settings_; }
  [[nodiscard]] const identity::SignatureCache& signatures() const { return signatures_; }

 private:
  [[nodiscard]] TokenPair pair_of(const StoredRefresh& refresh) const;

  const identity::Keys& keys_;
  TokenStore store_;
  Clock clock_;
  Random random_;
  TokenSettings settings_;
  identity::SignatureCache signatures_;  ///< by `keys_`, which never change in a process
};

}  // namespace cameleer::server
