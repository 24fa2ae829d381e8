#include "server/environments/environment_service.hpp"

#include <set>

namespace cameleer::server {
namespace {

constexpr std::size_t kMaxRecent = 10'000;
constexpr std::chrono::seconds kRecent{5};
constexpr std::size_t kKeyLength = 47;
constexpr std::size_t kMaxListedKeys = 1'000;

}  // namespace

EnvironmentService::EnvironmentService(postgres::Pool& pool, AuditService& audit, Clock clock, Random random,
                                       EnvironmentSettings settings)
    : store_(pool, audit),
      clock_(std::move(clock)),
      random_(std::move(random)),
      settings_(std::move(settings)),
      recent_environments_(kMaxRecent, kRecent),
      recent_keys_by_hash_(kMaxRecent, kRecent),
      recent_keys_by_id_(kMaxRecent, kRecent) {}

async::Task<Expected<std::optional<std::string>>> EnvironmentService::ensure_first(KeepSecret keep) {
  Environment first{.id = identity::random_uuid(random_), .slug = "default", .display_name = "Default"};
  auto made = co_await store_.insert_environment_if_absent(std::move(first), clock_());
  if (!made) co_return std::unexpected(made.error());
  const auto any = co_await store_.any_key();
  if (!any) co_return std::unexpected(any.error());
  if (*any) co_return std::optional<std::string>{};
  auto secret = identity::make_api_key(random_);
  if (keep) {
    if (auto kept = keep(secret.secret); !kept) co_return std::unexpected(kept.error());
  }
  EnvironmentStore::NewKey key{.id = identity::random_uuid(random_),
                               .environment = "default",
                               .label = "first start",
                               .hash = secret.hash,
                               .prefix = secret.prefix};
  auto inserted = co_await store_.insert_first_key(std::move(key), clock_());
  if (!inserted) co_return std::unexpected(inserted.error());
  if (!*inserted) co_return std::optional<std::string>{};
  co_return std::optional(std::move(secret.secret));
}

async::Task<Expected<std::vector<Environment>>> EnvironmentService::list() {
  co_return co_await store_.list();
}

async::Task<Expected<Environment>> EnvironmentService::find(std::string slug) {
  if (const auto* known = recent_environments_.find(slug, clock_())) co_return *known;
  auto found = co_await store_.find(slug);
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return fail(ErrorCode::environment_not_found, "There is no environment of this name.", "environment");
  recent_environments_.put(slug, **found, clock_());
  co_return std::move(**found);
}

async::Task<Expected<EnvironmentService::NewKey>> EnvironmentService::create_key(std::string slug, std::string label,
                                                                                 AuditActor actor) {
  auto secret = identity::make_api_key(random_);
  const auto now = clock_();
  EnvironmentStore::NewKey key{.id = identity::random_uuid(random_),
                               .environment = std::move(slug),
                               .label = label,
                               .hash = secret.hash,
                               .prefix = secret.prefix};
  KeyDescription description{.id = key.id,
                             .label = std::move(label),
                             .prefix = secret.prefix,
                             .status = "ACTIVE",
                             .created_at = now,
                             .revoked_at = std::nullopt};
  auto inserted = co_await store_.insert_key(std::move(key), now, std::move(actor));
  if (!inserted) co_return std::unexpected(inserted.error());
  if (!*inserted) {
    co_return fail(ErrorCode::environment_not_found, "There is no environment of this name.", "environment");
  }
  co_return NewKey{.description = std::move(description), .secret = std::move(secret.secret)};
}

async::Task<Expected<std::vector<KeyDescription>>> EnvironmentService::list_keys(std::string slug) {
  auto exists = co_await find(slug);
  if (!exists) co_return std::unexpected(exists.error());
  co_return co_await store_.list_keys(std::move(slug), kMaxListedKeys);
}

async::Task<Expected<void>> EnvironmentService::revoke_key(std::string slug, std::string id, AuditActor actor) {
  auto exists = co_await find(slug);
  if (!exists) co_return std::unexpected(exists.error());
  Expected<bool> revoked = false;
  if (identity::is_uuid(id))
    revoked = co_await store_.revoke_key(std::move(slug), std::move(id), clock_(), std::move(actor));
  // Also after a failure: nobody knows whether the statement ran.
  ++revocations_;
  recent_keys_by_id_.clear();
  recent_keys_by_hash_.clear();
  if (!revoked) co_return std::unexpected(revoked.error());
  if (!*revoked) co_return fail(ErrorCode::api_key_not_found, "The environment has no API key of this id.", "keyId");
  co_return Expected<void>{};
}

bool EnvironmentService::has_bootstrap_token() const {
  return !settings_.bootstrap_token.empty() || !settings_.bootstrap_token_previous.empty();
}

std::optional<KeyOwner> EnvironmentService::bootstrap_owner(std::string_view secret) const {
  // Digests, so that the comparison tells nothing about the length either. Both are always compared.
  const auto presented = identity::sha256(secret);
  bool matches = false;
  for (const auto* token : {&settings_.bootstrap_token, &settings_.bootstrap_token_previous}) {
    const bool equal = identity::equal_in_constant_time(presented, identity::sha256(*token));
    matches |= !token->empty() && equal;
  }
  if (!matches) return std::nullopt;
  return KeyOwner{.environment = settings_.bootstrap_environment, .key_ref = std::string(kBootstrapKeyRef)};
}

async::Task<Expected<std::optional<KeyOwner>>> EnvironmentService::owner_of(std::string secret) {
  if (auto owner = bootstrap_owner(secret)) co_return owner;
  if (!secret.starts_with("cmk_") || secret.size() != kKeyLength) co_return std::optional<KeyOwner>{};
  const auto hash = identity::sha256_hex(secret);
  std::optional<StoredKey> key;
  if (const auto* known = recent_keys_by_hash_.find(hash, clock_())) {
    key = *known;
  } else {
    const auto before = revocations_;
    auto found = co_await store_.find_key_by_hash(hash);
    if (!found) co_return std::unexpected(found.error());
    key = std::move(*found);
    if (key && before == revocations_) recent_keys_by_hash_.put(hash, *key, clock_());
  }
  if (!key || !key->counts(clock_())) co_return std::optional<KeyOwner>{};
  co_return std::optional(KeyOwner{.environment = key->environment, .key_ref = key->id});
}

async::Task<Expected<bool>> EnvironmentService::key_counts(std::string key_ref) {
  if (key_ref == kBootstrapKeyRef) co_return has_bootstrap_token();
  if (!identity::is_uuid(key_ref)) co_return false;
  if (const auto* known = recent_keys_by_id_.find(key_ref, clock_())) co_return known->counts(clock_());
  const auto before = revocations_;
  auto found = co_await store_.find_key_by_id(key_ref);
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return false;
  if (before == revocations_) recent_keys_by_id_.put(key_ref, **found, clock_());
  co_return (*found)->counts(clock_());
}

async::Task<Expected<std::vector<std::string>>> EnvironmentService::uncounted_keys(std::vector<std::string> key_refs) {
  std::vector<std::string> ids;
  for (const auto& ref : key_refs) {
    if (identity::is_uuid(ref)) ids.push_back(ref);
  }
  std::set<std::string> counted;
  if (has_bootstrap_token()) counted.emplace(kBootstrapKeyRef);
  if (!ids.empty()) {
    auto found = co_await store_.counted_keys(std::move(ids), clock_());
    if (!found) co_return std::unexpected(found.error());
    counted.insert(found->begin(), found->end());
  }
  std::erase_if(key_refs, [&](const auto& ref) { return counted.contains(ref); });
  co_return key_refs;
}

}  // namespace cameleer::server
