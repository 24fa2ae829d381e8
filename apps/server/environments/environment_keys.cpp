#include <set>

#include "server/environments/environment_service.hpp"

// What the service knows of API keys and bootstrap tokens.
namespace cameleer::server {
namespace {

constexpr std::size_t kKeyLength = 47;
constexpr std::size_t kMaxListedKeys = 1'000;
constexpr std::string_view kBootstrapRef = "bootstrap:";
constexpr std::chrono::seconds kWriteUses{5};

std::unexpected<Error> no_such_key() {
  return fail(ErrorCode::api_key_not_found, "The environment has no API key of this id.", "keyId");
}

}  // namespace

ApiKeyStore::NewKey EnvironmentService::new_key(const std::string& slug, std::string label,
                                                const identity::ApiKeySecret& secret) {
  return {.id = identity::random_uuid(random_),
          .environment = slug,
          .label = std::move(label),
          .hash = secret.hash,
          .prefix = secret.prefix};
}

async::Task<Expected<EnvironmentService::NewKey>> EnvironmentService::create_key(std::string slug, std::string label,
                                                                                 AuditActor actor) {
  auto secret = identity::make_api_key(random_);
  const auto now = clock_();
  auto key = new_key(slug, std::move(label), secret);
  KeyDescription description{
      .id = key.id, .label = key.label, .prefix = key.prefix, .status = "ACTIVE", .created_at = now};
  auto inserted = co_await keys_.insert(std::move(key), now, std::move(actor));
  if (!inserted) co_return std::unexpected(inserted.error());
  if (!*inserted) {
    co_return fail(ErrorCode::environment_not_found, "There is no environment of this name.", "environment");
  }
  co_return NewKey{.description = std::move(description), .secret = std::move(secret.secret)};
}

async::Task<Expected<std::vector<KeyDescription>>> EnvironmentService::list_keys(std::string slug) {
  auto exists = co_await find(slug);
  if (!exists) co_return std::unexpected(exists.error());
  co_return co_await keys_.list(std::move(slug), kMaxListedKeys);
}

async::Task<Expected<EnvironmentService::RotatedKey>> EnvironmentService::rotate_key(std::string slug, std::string id,
                                                                                     AuditActor actor) {
  auto exists = co_await find(slug);
  if (!exists) co_return std::unexpected(exists.error());
  if (!identity::is_uuid(id)) co_return no_such_key();
  auto secret = identity::make_api_key(random_);
  const auto now = clock_();
  auto rotated =
      co_await keys_.rotate(std::move(id), new_key(slug, {}, secret), now, now + settings_.key_grace, std::move(actor));
  forget();
  if (!rotated) co_return std::unexpected(rotated.error());
  co_return RotatedKey{.old = std::move(rotated->old),
                       .successor = {.description = std::move(rotated->successor), .secret = std::move(secret.secret)}};
}

async::Task<Expected<void>> EnvironmentService::revoke_key(std::string slug, std::string id, AuditActor actor) {
  auto exists = co_await find(slug);
  if (!exists) co_return std::unexpected(exists.error());
  Expected<bool> revoked = false;
  if (identity::is_uuid(id))
    revoked = co_await keys_.revoke(std::move(slug), std::move(id), clock_(), std::move(actor));
  // Also after a failure: nobody knows whether the statement ran.
  forget();
  if (!revoked) co_return std::unexpected(revoked.error());
  if (!*revoked) co_return no_such_key();
  co_return Expected<void>{};
}

bool EnvironmentService::has_bootstrap_token() const {
  return !settings_.bootstrap_token.empty() || !settings_.bootstrap_token_previous.empty();
}

bool EnvironmentService::is_bootstrap_token(std::string_view secret) const {
  // Digests, so that the comparison tells nothing about the length either. Both are always compared.
  const auto presented = identity::sha256(secret);
  bool matches = false;
  for (const auto* token : {&settings_.bootstrap_token, &settings_.bootstrap_token_previous}) {
    const bool equal = identity::equal_in_constant_time(presented, identity::sha256(*token));
    matches |= !token->empty() && equal;
  }
  return matches;
}

async::Task<Expected<std::optional<KeyOwner>>> EnvironmentService::bootstrap_owner() {
  KeyOwner owner{
      .environment = settings_.bootstrap_environment, .key_ref = std::string(kBootstrapRef), .data_name = {}};
  auto environment = co_await find(owner.environment);
  if (environment) {
    // An environment that is made anew under the same name does not inherit the tokens of the old one.
    owner.key_ref += environment->id;
    owner.data_name = std::move(environment->data_name);
  } else if (environment.error().code != ErrorCode::environment_not_found) {
    co_return std::unexpected(environment.error());
  }
  co_return owner;
}

async::Task<Expected<std::optional<KeyOwner>>> EnvironmentService::owner_of(std::string secret) {
  if (is_bootstrap_token(secret)) co_return co_await bootstrap_owner();
  if (!secret.starts_with("cmk_") || secret.size() != kKeyLength) co_return std::optional<KeyOwner>{};
  const auto hash = identity::sha256_hex(secret);
  std::optional<StoredKey> key;
  if (const auto* known = recent_keys_by_hash_.find(hash, clock_())) {
    key = *known;
  } else {
    const auto before = changes_;
    auto found = co_await keys_.find_by_hash(hash);
    if (!found) co_return std::unexpected(found.error());
    key = std::move(*found);
    if (key && before == changes_) recent_keys_by_hash_.put(hash, *key, clock_());
  }
  if (!key || !key->counts(clock_())) co_return std::optional<KeyOwner>{};
  uses_.note(key->id, clock_());
  co_return std::optional(KeyOwner{.environment = key->environment, .key_ref = key->id, .data_name = key->data_name});
}

async::Task<Expected<std::optional<KeyOwner>>> EnvironmentService::owner_of_ref(std::string key_ref) {
  if (key_ref.starts_with(kBootstrapRef)) {
    if (!has_bootstrap_token()) co_return std::optional<KeyOwner>{};
    auto owner = co_await bootstrap_owner();
    if (!owner || !*owner || (*owner)->key_ref == key_ref) co_return owner;
    co_return std::optional<KeyOwner>{};
  }
  if (!identity::is_uuid(key_ref)) co_return std::optional<KeyOwner>{};
  std::optional<StoredKey> key;
  if (const auto* known = recent_keys_by_id_.find(key_ref, clock_())) {
    key = *known;
  } else {
    const auto before = changes_;
    auto found = co_await keys_.find_by_id(key_ref);
    if (!found) co_return std::unexpected(found.error());
    key = std::move(*found);
    if (key && before == changes_) recent_keys_by_id_.put(key_ref, *key, clock_());
  }
  if (!key || !key->counts(clock_())) co_return std::optional<KeyOwner>{};
  uses_.note(key->id, clock_());
  co_return std::optional(KeyOwner{.environment = key->environment, .key_ref = key->id, .data_name = key->data_name});
}

async::Task<Expected<bool>> EnvironmentService::key_counts(std::string key_ref) {
  auto owner = co_await owner_of_ref(std::move(key_ref));
  if (!owner) co_return std::unexpected(owner.error());
  co_return owner->has_value();
}

async::Task<Expected<std::vector<std::string>>> EnvironmentService::uncounted_keys(std::vector<std::string> key_refs) {
  std::vector<std::string> ids;
  bool bootstrapped = false;
  for (const auto& ref : key_refs) {
    if (identity::is_uuid(ref)) ids.push_back(ref);
    bootstrapped |= ref.starts_with(kBootstrapRef);
  }
  std::set<std::string> counted;
  if (bootstrapped && has_bootstrap_token()) {
    auto environment = co_await store_.find(settings_.bootstrap_environment);
    if (!environment) co_return std::unexpected(environment.error());
    if (*environment) counted.insert(std::string(kBootstrapRef) + (*environment)->id);
  }
  if (!ids.empty()) {
    auto found = co_await keys_.counted(std::move(ids), clock_());
    if (!found) co_return std::unexpected(found.error());
    counted.insert(found->begin(), found->end());
  }
  std::erase_if(key_refs, [&](const auto& ref) { return counted.contains(ref); });
  co_return key_refs;
}

async::Task<Expected<void>> EnvironmentService::write_key_uses() {
  auto due = uses_.take_due(clock_());
  if (due.empty()) co_return Expected<void>{};
  auto written = co_await keys_.note_uses(due);
  if (!written) uses_.put_back(due);
  co_return written;
}

async::Task<> EnvironmentService::run() {
  auto executor = co_await async::asio::this_coro::executor;
  for (;;) {
    co_await async::sleep_for(executor, kWriteUses);
    if ((co_await async::asio::this_coro::cancellation_state).cancelled() != async::asio::cancellation_type::none) {
      co_return;
    }
    // A failure is a database that is gone: the next turn tries again.
    (void)co_await write_key_uses();
  }
}

}  // namespace cameleer::server
