#include "server/auth/auth_service.hpp"

#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/password.hpp>

namespace cameleer::server {
namespace {

constexpr std::string_view kFirstUser = "admin";
constexpr std::string_view kPasswordSetting = "cameleer.server.security.adminpassword";
constexpr std::size_t kMaxRecent = 10'000;
constexpr std::chrono::seconds kRecent{5};
constexpr std::chrono::minutes kAddressWindow{1};
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

Error wrong_credentials() {
  return {ErrorCode::invalid_credentials, "The user name or the password is wrong."};
}

SignInFailure failure_of(Error error) {
  return {.error = std::move(error), .retry_after = std::nullopt};
}

SignInFailure locked_for(std::chrono::milliseconds wait) {
  const auto seconds = std::max(std::chrono::ceil<std::chrono::seconds>(wait), std::chrono::seconds(1));
  return {.error = {ErrorCode::account_locked,
                    fmt::format("The account is locked after too many failures; try again in {} s.", seconds.count())},
          .retry_after = seconds};
}

/// As PostgreSQL's lower() does it for names that exist.
std::string lower_case(std::string text) {
  for (auto& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
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
      workers_(workers),
      tokens_(tokens),
      clock_(std::move(clock)),
      random_(std::move(random)),
      settings_(settings),
      by_address_(settings.failures_per_address, kAddressWindow, kMaxRecent),
      by_unknown_name_(settings.lock_after_failures, settings.lock_time, kMaxRecent),
      sessions_(kMaxRecent, kRecent),
      families_(kMaxRecent, kRecent),
      users_(kMaxRecent, kRecent) {}

async::Task<Expected<void>> AuthService::check_master_key(const identity::Keys& keys) {
  auto known = co_await store_.check_value(keys.check_value());
  if (!known) co_return std::unexpected(known.error());
  if (*known == keys.check_value()) co_return Expected<void>{};
  if (keys.previous_check_value() && *known == *keys.previous_check_value()) {
    co_return co_await store_.replace_check_value(*known, keys.check_value());
  }
  co_return fail(ErrorCode::bad_configuration,
                 "The master key is not the one that this database was used with. To rotate it, name the old one in "
                 "cameleer.server.security.masterkeyprevious.",
                 "cameleer.server.security.masterkey");
}

async::Task<Expected<std::optional<FirstUser>>> AuthService::ensure_first_user(std::optional<std::string> password,
                                                                               KeepSecret keep) {
  auto any = co_await store_.any_user();
  if (!any) co_return std::unexpected(any.error());
  if (*any) co_return std::optional<FirstUser>{};
  FirstUser first{.username = std::string(kFirstUser), .password = {}, .generated = !password};
  first.password = password ? std::move(*password) : identity::random_password(random_);
  if (auto problem = identity::password_problem(first.password, first.username)) {
    co_return fail(ErrorCode::bad_configuration, std::move(*problem), std::string(kPasswordSetting));
  }
  const auto work = [secret = first.password, random = random_] { return identity::hash_password(secret, random); };
  auto hash = co_await workers_.run(work);
  if (!hash) co_return std::unexpected(hash.error());
  if (keep && first.generated) {
    if (auto kept = keep(first.password); !kept) co_return std::unexpected(kept.error());
  }
  auto inserted = co_await store_.insert_first_admin(identity::random_uuid(random_), first.username, "Administrator",
                                                     std::move(*hash), clock_());
  if (!inserted) co_return std::unexpected(inserted.error());
  if (!*inserted) co_return std::optional<FirstUser>{};
  auto noted = co_await audit_.record({.actor = system_actor(),
                                       .category = AuditCategory::user_mgmt,
                                       .action = "create_first_user",
                                       .target = first.username});
  if (!noted) co_return std::unexpected(noted.error());
  co_return std::optional(std::move(first));
}

async::Task<Expected<bool>> AuthService::password_matches(std::string password, std::string hash) {
  const auto work = [password = std::move(password), hash = std::move(hash)] {
    return identity::verify_password(password, hash);
  };
  co_return co_await workers_.run(work);
}

async::Task<SignInResult<AuthService::CheckedUser>> AuthService::check_password(std::string username,
                                                                                std::string password,
                                                                                AuditEntry attempt) {
  const auto remote_address = attempt.actor.remote_address;
  const auto now = clock_();
  if (const auto wait = by_address_.count(remote_address, now)) {
    audit_.count(attempt, "too_many_requests");
    const auto seconds = std::max(std::chrono::ceil<std::chrono::seconds>(*wait), std::chrono::seconds(1));
    co_return std::unexpected(SignInFailure{
        .error = {ErrorCode::too_many_requests,
                  fmt::format("Too many sign-ins from this address failed; try again in {} s.", seconds.count())},
        .retry_after = seconds});
  }
  auto login = co_await store_.find_login(username);
  if (!login) {
    by_address_.give_back(remote_address, now);
    co_return std::unexpected(failure_of(login.error()));
  }
  // A name that nobody has is counted, hashed and locked like one that somebody has.
  std::string hash = identity::nobodys_hash();
  bool locks = false;
  if (*login) {
    attempt.actor.username = username;
    attempt.actor.user_id = (*login)->user_id;
    attempt.target = username;
    auto locked = co_await store_.count_attempt((*login)->user_id, settings_.lock_after_failures, now,
                                                now + settings_.lock_time, &locks);
    if (!locked) co_return std::unexpected(failure_of(locked.error()));
    if (*locked) {
      audit_.count(attempt, "account_locked");
      co_return std::unexpected(locked_for(**locked - now));
    }
    hash = (*login)->password_hash;
  } else if (const auto wait = by_unknown_name_.count(lower_case(username), now)) {
    audit_.count(attempt, "unknown_user");
    co_return std::unexpected(locked_for(*wait));
  }
  auto matches = co_await password_matches(std::move(password), hash);
  if (!matches) co_return std::unexpected(failure_of(matches.error()));
  if (!*matches || !*login) {
    audit_.count(attempt, *login ? "wrong_password" : "unknown_user");
    if (locks) {
      attempt.actor.username = system_actor().username;
      attempt.actor.user_id.clear();
      attempt.action = "lock_account";
      attempt.result = AuditResult::success;
      audit_.count(attempt, "too_many_failures");
    }
    co_return std::unexpected(failure_of(wrong_credentials()));
  }

  by_address_.give_back(remote_address, now);
  auto cleared = co_await store_.note_login((*login)->user_id, now);
  if (!cleared) co_return std::unexpected(failure_of(cleared.error()));
  auto user = co_await store_.find_user((*login)->user_id);
  if (!user) co_return std::unexpected(failure_of(user.error()));
  if (!*user) co_return std::unexpected(failure_of(wrong_credentials()));
  co_return CheckedUser{.user = std::move(**user), .password_hash = std::move(hash)};
}

async::Task<SignInResult<SignIn>> AuthService::login(std::string username, std::string password,
                                                     std::string remote_address, std::string user_agent,
                                                     std::string request_id) {
  auto checked = co_await check_password(std::move(username), std::move(password),
                                         attempt_of("login", remote_address, request_id));
  if (!checked) co_return std::unexpected(checked.error());
  const auto now = clock_();
  auto from = remote_address;
  SignIn sign_in{.session = identity::random_token(random_), .user = std::move(checked->user)};
  SessionRow row{.hash = identity::sha256_hex(sign_in.session),
                 .user_id = sign_in.user.id,
                 .created_at = now,
                 .last_seen_at = now,
                 .expires_at = now + settings_.session_life,
                 .remote_address = std::move(remote_address),
                 .user_agent = printable(user_agent, kMaxUserAgent)};
  auto stored = co_await store_.insert_session(std::move(row));
  if (!stored) co_return std::unexpected(failure_of(stored.error()));
  // A change of the password ends all sessions; one that came in between does not know this one.
  auto counts = co_await store_.password_counts(sign_in.user.id, std::move(checked->password_hash));
  if (!counts) co_return std::unexpected(failure_of(counts.error()));
  if (!*counts) {
    co_await end_session(sign_in.session);
    co_return std::unexpected(failure_of(wrong_credentials()));
  }
  AuditActor actor{.remote_address = std::move(from), .request_id = std::move(request_id)};
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
  const auto now = clock_();
  SignIn sign_in{.session = identity::random_token(random_), .user = std::move(**user)};
  SessionRow row{.hash = identity::sha256_hex(sign_in.session),
                 .user_id = sign_in.user.id,
                 .created_at = now,
                 .last_seen_at = now,
                 .expires_at = now + settings_.session_life,
                 .remote_address = std::move(remote_address),
                 .user_agent = printable(user_agent, kMaxUserAgent)};
  auto stored = co_await store_.insert_session(std::move(row));
  if (!stored) co_return std::unexpected(stored.error());
  co_return sign_in;
}

async::Task<SignInResult<TokenPair>> AuthService::issue_tokens(std::string username, std::string password,
                                                               std::string remote_address, std::string request_id) {
  auto checked = co_await check_password(std::move(username), std::move(password),
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

async::Task<Expected<std::shared_ptr<const Principal>>> AuthService::principal_of_session(std::string session) {
  const auto over = [] { return fail(ErrorCode::unauthenticated, "The session has ended; sign in again."); };
  const auto hash = identity::sha256_hex(session);
  const auto now = clock_();
  if (const auto* known = sessions_.find(hash, now)) {
    if (now >= known->expires_at) co_return over();
    co_return known->principal;
  }
  const auto before = changes_;
  auto found = co_await store_.find_session(hash);
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return over();
  const auto& row = (*found)->row;
  const auto& revoked_before = (*found)->user.tokens_revoked_before;
  if (now >= row.expires_at || now - row.last_seen_at >= settings_.session_idle ||
      (revoked_before && row.created_at < *revoked_before)) {
    co_return over();
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
  if (const auto* known = families_.find(claims.family, now); known != nullptr && (*known)->id == claims.subject) {
    co_return *known;
  }
  if (!identity::is_uuid(claims.subject) || !identity::is_uuid(claims.family)) {
    co_return fail(ErrorCode::invalid_token, "The token was not issued for this.");
  }
  const auto before = changes_;
  auto user = co_await store_.find_user_of_family(claims.subject, claims.family);
  if (!user) co_return std::unexpected(user.error());
  if (!*user || ((*user)->tokens_revoked_before && claims.issued_at < *(*user)->tokens_revoked_before)) {
    co_return fail(ErrorCode::invalid_token, "The token was revoked.");
  }
  auto principal = principal_for(**user, claims.token_id);
  if (before == changes_) families_.put(claims.family, principal, now);
  co_return principal;
}

async::Task<Expected<std::shared_ptr<const Principal>>> AuthService::principal_of_user(std::string user_id,
                                                                                       Instant issued_at) {
  const auto now = clock_();
  KnownUser known;
  if (const auto* found = users_.find(user_id, now)) {
    known = *found;
  } else {
    const auto before = changes_;
    auto user = co_await store_.find_user(user_id);
    if (!user) co_return std::unexpected(user.error());
    if (!*user) co_return fail(ErrorCode::invalid_token, "The user is disabled, or does not exist any more.");
    known = {.principal = principal_for(**user, {}), .revoked_before = (*user)->tokens_revoked_before};
    if (before == changes_) users_.put(user_id, known, now);
  }
  if (known.revoked_before && issued_at < *known.revoked_before) {
    co_return fail(ErrorCode::invalid_token, "The token was revoked.");
  }
  co_return known.principal;
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
