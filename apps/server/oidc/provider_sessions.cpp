#include "server/oidc/provider_sessions.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "server/oidc/oidc_sealed_columns.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxKnown = 10'000;
/// Whose a session is does not change, and when it is renewed is looked up again when it is due.
constexpr std::chrono::hours kKnown{24};
/// Longer than the provider may take for tokens, keys and UserInfo.
constexpr std::chrono::seconds kClaim{45};
constexpr std::chrono::seconds kUsualLife{300}, kAhead{60};
/// After so long a database that was lost is asked again.
constexpr std::chrono::seconds kLost{10};
constexpr std::chrono::milliseconds kPoll{200};
constexpr int kPolls = 100;

std::unexpected<Error> over() {
  return fail(ErrorCode::unauthenticated, "The session has ended; sign in again.");
}

}  // namespace

RefreshTimes refresh_times(Instant now, std::optional<std::chrono::seconds> life) {
  const std::chrono::milliseconds lives = std::max(life.value_or(kUsualLife), std::chrono::seconds(1));
  const auto ahead = std::min<std::chrono::milliseconds>(kAhead, lives / 4);
  return {.refresh_after = now + lives - ahead, .expires_at = now + lives};
}

ProviderSessions::ProviderSessions(OidcConfigurationService& configuration, ProviderSessionStore& store,
                                   ProviderUsers& users, ProviderTokens& tokens, AuthService& auth,
                                   const identity::Keys& keys, Clock clock, Random random, bool only_these)
    : configuration_(configuration),
      store_(store),
      users_(users),
      tokens_(tokens),
      auth_(auth),
      keys_(keys),
      clock_(std::move(clock)),
      random_(std::move(random)),
      only_these_(only_these),
      known_(kMaxKnown, kKnown) {}

std::string ProviderSessions::sealed(const SessionTokens& tokens, const std::string& session_hash) const {
  const json::object object{{"idToken", tokens.id_token},
                            {"accessToken", tokens.access_token},
                            {"refreshToken", tokens.refresh_token},
                            {"issuer", tokens.issuer},
                            {"clientId", tokens.client_id}};
  return identity::seal(keys_, json::serialize(object), oidc_session_place(session_hash), random_);
}

std::optional<SessionTokens> ProviderSessions::opened(const std::string& text, const std::string& session_hash) const {
  const auto plain = identity::open(keys_, text, oidc_session_place(session_hash));
  if (!plain) return std::nullopt;
  return SessionTokens{.id_token = text_claim(*plain, "idToken"),
                       .access_token = text_claim(*plain, "accessToken"),
                       .refresh_token = text_claim(*plain, "refreshToken"),
                       .issuer = text_claim(*plain, "issuer"),
                       .client_id = text_claim(*plain, "clientId")};
}

async::Task<Expected<void>> ProviderSessions::begin(std::string session_hash, SessionTokens tokens,
                                                    std::optional<std::chrono::seconds> life) {
  const auto times = tokens.refresh_token.empty() ? RefreshTimes{} : refresh_times(clock_(), life);
  co_return co_await store_.insert(session_hash, sealed(tokens, session_hash), times);
}

async::Task<Expected<std::optional<SessionTokens>>> ProviderSessions::tokens_of(std::string session_hash) {
  auto text = co_await store_.find_sealed(session_hash);
  if (!text) co_return std::unexpected(text.error());
  co_return *text ? opened(**text, session_hash) : std::nullopt;
}

async::Task<Expected<std::int64_t>> ProviderSessions::end_local() {
  auto ended = co_await store_.end_local(clock_());
  auth_.forget_known();
  co_return ended;
}

async::Task<Expected<ProviderSessions::Known>> ProviderSessions::find(std::string session_hash) {
  if (const auto* known = known_.find(session_hash, clock_())) co_return *known;
  auto times = co_await store_.find(session_hash);
  if (!times) co_return std::unexpected(times.error());
  const Known known{.of_provider = times->has_value(), .times = times->value_or(RefreshTimes{})};
  known_.put(session_hash, known, clock_());
  co_return known;
}

async::Task<Expected<bool>> ProviderSessions::keep(std::string session_hash, const web::Request& request) {
  auto known = co_await find(session_hash);
  if (!known) co_return std::unexpected(known.error());
  if (!known->of_provider && only_these_) co_return over();
  const auto& after = known->times.refresh_after;
  if (!after || clock_() < *after) co_return false;
  auto renewed = co_await renew(session_hash, actor_of(request));
  if (renewed || renewed.error().code != ErrorCode::unavailable) co_return renewed;
  // Without the database those who are known stay known.
  known->times.refresh_after = clock_() + kLost;
  known_.put(session_hash, *known, clock_());
  co_return false;
}

async::Task<Expected<bool>> ProviderSessions::renew(std::string session_hash, AuditActor actor) {
  const auto executor = co_await async::asio::this_coro::executor;
  for (int poll = 0; poll < kPolls; ++poll) {
    const auto now = clock_();
    auto claimed = co_await store_.claim(session_hash, now, now + kClaim);
    if (!claimed) co_return std::unexpected(claimed.error());
    if (*claimed) {
      known_.erase(session_hash);
      auto renewed = co_await refresh(session_hash, std::move(**claimed), std::move(actor));
      known_.erase(session_hash);
      co_return renewed;
    }
    // Somebody else asks, or has asked just now.
    known_.erase(session_hash);
    auto known = co_await find(session_hash);
    if (!known) co_return std::unexpected(known.error());
    if (!known->of_provider) {
      auth_.forget_known();
      co_return over();
    }
    const auto& times = known->times;
    if (!times.refresh_after || clock_() < *times.refresh_after) co_return true;
    if (clock_() < *times.expires_at) co_return false;
    co_await async::sleep_for(executor, kPoll);
  }
  co_return fail(ErrorCode::overloaded, "The session is being renewed at the provider; try again.");
}

}  // namespace cameleer::server
