#include "server/environments/environment_service.hpp"

namespace cameleer::server {
namespace {

constexpr std::size_t kMaxRecent = 10'000;
constexpr std::chrono::seconds kRecent{5};
constexpr std::size_t kKeyLength = 47;

}  // namespace

EnvironmentService::EnvironmentService(postgres::Pool& pool, Clock clock, Random random, EnvironmentSettings settings)
    : store_(pool),
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

async::Task<Expected<std::string>> EnvironmentService::create_key(std::string slug, std::string label) {
  auto secret = identity::make_api_key(random_);
  EnvironmentStore::NewKey key{.id = identity::random_uuid(random_),
                               .environment = std::move(slug),
                               .label = std::move(label),
                               .hash = secret.hash,
                               .prefix = secret.prefix};
  auto inserted = co_await store_.insert_key(std::move(key), clock_());
  if (!inserted) co_return std::unexpected(inserted.error());
  if (!*inserted) co_return fail(ErrorCode::environment_not_found, "There is no environment of this name.");
  co_return std::move(secret.secret);
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
    auto found = co_await store_.find_key_by_hash(hash);
    if (!found) co_return std::unexpected(found.error());
    key = std::move(*found);
    if (key) recent_keys_by_hash_.put(hash, *key, clock_());
  }
  if (!key || !key->counts(clock_())) co_return std::optional<KeyOwner>{};
  co_return std::optional(KeyOwner{.environment = key->environment, .key_ref = key->id});
}

async::Task<Expected<bool>> EnvironmentService::key_counts(std::string key_ref) {
  if (key_ref == kBootstrapKeyRef) {
    co_return !settings_.bootstrap_token.empty() || !settings_.bootstrap_token_previous.empty();
  }
  if (!identity::is_uuid(key_ref)) co_return false;
  if (const auto* known = recent_keys_by_id_.find(key_ref, clock_())) co_return known->counts(clock_());
  auto found = co_await store_.find_key_by_id(key_ref);
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return false;
  recent_keys_by_id_.put(key_ref, **found, clock_());
  co_return (*found)->counts(clock_());
}

}  // namespace cameleer::server
