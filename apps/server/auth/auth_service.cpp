#include "server/auth/auth_service.hpp"

#include <cameleer/identity/encoding.hpp>

namespace cameleer::server {
namespace {

constexpr std::size_t kMaxRecent = 10'000;
constexpr std::chrono::seconds kRecent{5};
// What was known when the database was lost counts for so long, the life of an access token.
constexpr std::chrono::hours kWithoutDatabase{1};
constexpr std::chrono::minutes kTouchInterval{1};
constexpr std::chrono::minutes kCleanUpInterval{10};
constexpr std::size_t kMaxUserAgent = 512;

std::shared_ptr<const Principal> principal_for(const User& user, std::string token_id) {
  auto principal = std::make_shared<Principal>();
  principal->kind = Principal::Kind::user;
  principal->id = user.id;
  principal->username = user.username;
  principal->token_id = std::move(token_id);
  principal->permissions = user.permissions;
  return principal;
}

/// A sign-in that fails, until it does not.
AuditEntry attempt_of(std::string action, const std::string& remote_address, std::string request_id) {
  return {.actor = {.remote_address = remote_address, .request_id = std::move(request_id)},
          .action = std::move(action),
          .result = AuditResult::failure};
}

AuditEntry done_by(AuditActor actor, std::string action, const User& user) {
  actor.username = user.username;
  actor.user_id = user.id;
  return {.actor = std::move(actor), .action = std::move(action), .target = user.username};
}

std::unexpected<Error> session_over() {
  return fail(ErrorCode::unauthenticated, "The session has ended; sign in again.");
}

/// PostgreSQL's text holds neither NUL nor invalid UTF-8; a user agent is the browser's to choose.
std::string printable(std::string_view text, std::size_t longest) {
  std::string result;
  for (const char c : text.substr(0, longest)) {
    if (c >= ' ' && c <= '~') result += c;
  }
  return result;
}

}  // namespace

AuthService::AuthService(postgres::Pool& pool, AuditService& audit, async::WorkerPool& workers, TokenService& tokens,
                         Clock clock, Random random, AuthSettings settings)
    : store_(pool),
      audit_(audit),
      local_(pool, audit, workers, clock, random, settings.local),
      tokens_(tokens),
      clock_(std::move(clock)),
      random_(std::move(random)),
      settings_(std::move(settings)),
      sessions_(kMaxRecent, kWithoutDatabase),
      families_(kMaxRecent, kWithoutDatabase),
      users_(kMaxRecent, kWithoutDatabase) {}

SessionRow AuthService::new_session(const std::string& session, const std::string& user_id, std::string remote_address,
                                    std::string_view user_agent) const {
  const auto now = clock_();
  return {.hash = identity::sha256_hex(session),
          .user_id = user_id,
          .created_at = now,
          .last_seen_at = now,
          .expires_at = now + settings_.session_life,
          .remote_address = std::move(remote_address),
          .user_agent = printable(user_agent, kMaxUserAgent)};
}

async::Task<SignInResult<SignIn>> AuthService::login(std::string username, std::string password,
                                                     std::string remote_address, std::string user_agent,
                                                     std::string request_id) {
  auto checked =
      co_await local_.check(std::move(username), std::move(password), attempt_of("login", remote_address, request_id));
  if (!checked) co_return std::unexpected(checked.error());
  SignIn sign_in{.session = identity::random_token(random_), .user = std::move(checked->user)};
  auto row = new_session(sign_in.session, sign_in.user.id, remote_address, user_agent);
  auto stored = co_await store_.insert_session(std::move(row));
  if (!stored) co_return std::unexpected(failure_of(stored.error()));
  // A change of the password ends all sessions; one that came in between does not know this one.
  auto counts = co_await store_.password_counts(sign_in.user.id, std::move(checked->password_hash));
  if (!counts) co_return std::unexpected(failure_of(counts.error()));
  if (!*counts) {
    co_await end_session(sign_in.session);
    co_return std::unexpected(failure_of(wrong_credentials()));
  }
  AuditActor actor{.remote_address = std::move(remote_address), .request_id = std::move(request_id)};
  auto noted = co_await audit_.record(done_by(std::move(actor), "login", sign_in.user));
  if (!noted) {
    co_await end_session(sign_in.session);
    co_return std::unexpected(failure_of(noted.error()));
  }
  co_return sign_in;
}

async::Task<Expected<SignIn>> AuthService::start_session(std::string user_id, std::string remote_address,
                                                         std::string user_agent) {
  auto user = co_await store_.find_user(std::move(user_id));
  if (!user) co_return std::unexpected(user.error());
  if (!*user) co_return fail(ErrorCode::forbidden, "The user is disabled, or does not exist any more.");
  SignIn sign_in{.session = identity::random_token(random_), .user = std::move(**user)};
  auto row = new_session(sign_in.session, sign_in.user.id, std::move(remote_address), user_agent);
  auto stored = co_await store_.insert_session(std::move(row));
  if (!stored) co_return std::unexpected(stored.error());
  co_return sign_in;
}

async::Task<SignInResult<TokenPair>> AuthService::issue_tokens(std::string username, std::string password,
                                                               std::string remote_address, std::string request_id) {
  auto checked = co_await local_.check(std::move(username), std::move(password),
                                       attempt_of("issue_token", remote_address, request_id));
  if (!checked) co_return std::unexpected(checked.error());
  TokenSubject subject{
      .kind = TokenSubject::Kind::user, .id = checked->user.id, .environment = {}, .application = {}, .key_ref = {}};
  auto pair = co_await tokens_.issue(std::move(subject));
  if (!pair) co_return std::unexpected(failure_of(pair.error()));
  auto counts = co_await store_.password_counts(checked->user.id, std::move(checked->password_hash));
  if (!counts) co_return std::unexpected(failure_of(counts.error()));
  if (!*counts) {
    co_await end_token(pair->refresh);
    co_return std::unexpected(failure_of(wrong_credentials()));
  }
  AuditActor actor{.remote_address = std::move(remote_address), .request_id = std::move(request_id)};
  auto noted = co_await audit_.record(done_by(std::move(actor), "issue_token", checked->user));
  if (!noted) {
    co_await end_token(pair->refresh);
    co_return std::unexpected(failure_of(noted.error()));
  }
  co_return std::move(*pair);
}

async::Task<Expected<TokenPair>> AuthService::refresh(std::string refresh_token, AuditActor origin) {
  auto claims = tokens_.verify(refresh_token, TokenSubject::Kind::user, identity::TokenType::refresh);
  if (!claims) {
    co_return fail(ErrorCode::invalid_token, claims.error().message);
  }
  auto user = co_await store_.find_user(claims->subject);
  if (!user) co_return std::unexpected(user.error());
  if (!*user || ((*user)->tokens_revoked_before && claims->issued_at < *(*user)->tokens_revoked_before)) {
    co_return fail(ErrorCode::invalid_token, "The token was revoked.");
  }
  auto pair = co_await tokens_.rotate(claims->token_id);
  // The family may just have ended by a reuse.
  if (!pair) families_.erase(claims->family);
  if (!pair && TokenService::is_reuse(pair.error())) {
    auto entry = done_by(std::move(origin), "refresh_token", **user);
    entry.result = AuditResult::failure;
    entry.detail = {{"reason", "reused"}, {"family", claims->family}};
    (void)co_await audit_.record(std::move(entry));
  }
  co_return pair;
}

async::Task<void> AuthService::end_session(std::string session, std::optional<AuditActor> origin) {
  const auto hash = identity::sha256_hex(session);
  sessions_.erase(hash);
  std::optional<AuditEntry> entry;
  if (origin) {
    if (auto found = co_await store_.find_session(hash); found && *found) {
      entry = done_by(std::move(*origin), "logout", (*found)->user);
    }
  }
  // Without a database the row stays until it is idle for too long.
  const auto deleted = co_await store_.delete_session(hash);
  if (deleted && entry) (void)co_await audit_.record(std::move(*entry));
  sessions_.erase(hash);
}

async::Task<void> AuthService::end_token(std::string token, std::optional<AuditActor> origin) {
  auto claims = tokens_.verify_any(token);
  if (!claims || TokenService::kind_of(*claims) != TokenSubject::Kind::user) co_return;
  std::optional<AuditEntry> entry;
  if (origin) {
    if (auto user = co_await store_.find_user_of_family(claims->subject, claims->family); user && *user) {
      entry = done_by(std::move(*origin), "logout", **user);
    }
  }
  const auto revoked = co_await tokens_.revoke_family(claims->family);
  if (revoked && entry) (void)co_await audit_.record(std::move(*entry));
  families_.erase(claims->family);
}

std::chrono::milliseconds AuthService::believable() const {
  return settings_.database_lost && settings_.database_lost() ? std::chrono::milliseconds(kWithoutDatabase) : kRecent;
}

Expected<std::shared_ptr<const Principal>> AuthService::still_counts(const KnownSession& known) const {
  const auto now = clock_();
  if (now >= known.expires_at || now - known.last_seen_at >= settings_.session_idle) return session_over();
  return known.principal;
}

async::Task<Expected<std::shared_ptr<const Principal>>> AuthService::principal_of_session(std::string session) {
  const auto hash = identity::sha256_hex(session);
  const auto now = clock_();
  if (const auto* known = sessions_.find(hash, now, believable())) co_return still_counts(*known);
  const auto before = changes_;
  auto found = co_await store_.find_session(hash);
  if (!found) {
    // It may have been lost meanwhile.
    const auto* known = sessions_.find(hash, now, believable());
    co_return known != nullptr ? still_counts(*known) : std::unexpected(found.error());
  }
  if (!*found) {
    sessions_.erase(hash);
    co_return session_over();
  }
  const auto& row = (*found)->row;
  const auto& revoked_before = (*found)->user.tokens_revoked_before;
  if (now >= row.expires_at || now - row.last_seen_at >= settings_.session_idle ||
      (revoked_before && row.created_at < *revoked_before)) {
    sessions_.erase(hash);
    co_return session_over();
  }
  if (now - row.last_seen_at >= kTouchInterval) {
    auto touched = co_await store_.touch_session(hash, now);
    if (!touched) co_return std::unexpected(touched.error());
  }
  auto principal = principal_for((*found)->user, hash);
  if (before == changes_) {
    sessions_.put(hash, {.principal = principal, .last_seen_at = now, .expires_at = row.expires_at}, now);
  }
  co_return principal;
}

async::Task<Expected<std::shared_ptr<const Principal>>> AuthService::principal_of_user_token(identity::Claims claims) {
  const auto now = clock_();
  const auto is_theirs = [&](const auto* known) { return known != nullptr && (*known)->id == claims.subject; };
  if (const auto* known = families_.find(claims.family, now, believable()); is_theirs(known)) co_return *known;
  if (!identity::is_uuid(claims.subject) || !identity::is_uuid(claims.family)) {
    co_return fail(ErrorCode::invalid_token, "The token was not issued for this.");
  }
  const auto before = changes_;
  auto user = co_await store_.find_user_of_family(claims.subject, claims.family);
  if (!user) {
    if (const auto* known = families_.find(claims.family, now, believable()); is_theirs(known)) co_return *known;
    co_return std::unexpected(user.error());
  }
  if (!*user || ((*user)->tokens_revoked_before && claims.issued_at < *(*user)->tokens_revoked_before)) {
    families_.erase(claims.family);
    co_return fail(ErrorCode::invalid_token, "The token was revoked.");
  }
  auto principal = principal_for(**user, claims.token_id);
  if (before == changes_) families_.put(claims.family, principal, now);
  co_return principal;
}

async::Task<Expected<AuthService::KnownUser>> AuthService::known_user(std::string user_id) {
  const auto now = clock_();
  if (const auto* found = users_.find(user_id, now, believable())) co_return *found;
  const auto before = changes_;
  auto user = co_await store_.find_user(user_id);
  if (!user) {
    const auto* known = users_.find(user_id, now, believable());
    co_return known != nullptr ? Expected<KnownUser>(*known) : std::unexpected(user.error());
  }
  if (!*user) {
    users_.erase(user_id);
    co_return fail(ErrorCode::invalid_token, "The user is disabled, or does not exist any more.");
  }
  KnownUser known{.principal = principal_for(**user, {}), .revoked_before = (*user)->tokens_revoked_before};
  if (before == changes_) users_.put(user_id, known, now);
  co_return known;
}

async::Task<Expected<std::shared_ptr<const Principal>>> AuthService::principal_of_user(std::string user_id,
                                                                                       Instant issued_at) {
  auto known = co_await known_user(std::move(user_id));
  if (!known) co_return std::unexpected(known.error());
  if (known->revoked_before && issued_at < *known->revoked_before) {
    co_return fail(ErrorCode::invalid_token, "The token was revoked.");
  }
  co_return known->principal;
}

async::Task<Expected<User>> AuthService::user(std::string user_id) {
  auto found = co_await store_.find_user(std::move(user_id));
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return fail(ErrorCode::unauthenticated, "The user does not exist any more.");
  co_return std::move(**found);
}

void AuthService::forget_known() {
  ++changes_;
  sessions_.clear();
  families_.clear();
  users_.clear();
}

async::Task<Expected<void>> AuthService::clean_up() {
  auto sessions = co_await store_.delete_ended_sessions(clock_() - settings_.session_idle, clock_());
  if (!sessions) co_return sessions;
  co_return co_await tokens_.delete_expired();
}

async::Task<> AuthService::run() {
  auto executor = co_await async::asio::this_coro::executor;
  for (;;) {
    // A failure is tried again at the next turn: what has ended does not count, kept or not.
    (void)co_await clean_up();
    co_await async::sleep_for(executor, kCleanUpInterval);
    if ((co_await async::asio::this_coro::cancellation_state).cancelled() != async::asio::cancellation_type::none) {
      co_return;
    }
  }
}

}  // namespace cameleer::server
