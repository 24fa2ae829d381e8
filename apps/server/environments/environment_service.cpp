#include "server/environments/environment_service.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cameleer::server {
namespace {

constexpr std::size_t kMaxRecent = 10'000;
constexpr std::chrono::seconds kRecent{5};
constexpr std::chrono::hours kWithoutDatabase{1};
constexpr std::size_t kLongestSlug = 40;
constexpr int kAttempts = 3;

std::unexpected<Error> no_such_environment() {
  return fail(ErrorCode::environment_not_found, "There is no environment of this name.", "environment");
}

void apply(const EnvironmentChange& wanted, Environment& environment) {
  if (wanted.display_name) environment.display_name = *wanted.display_name;
  if (wanted.execution_retention_days) environment.execution_retention_days = *wanted.execution_retention_days;
  if (wanted.log_retention_days) environment.log_retention_days = *wanted.log_retention_days;
  if (wanted.metric_retention_days) environment.metric_retention_days = *wanted.metric_retention_days;
  if (wanted.jar_retention_count) environment.jar_retention_count = *wanted.jar_retention_count;
}

boost::json::object json_of(const Environment& environment) {
  boost::json::object object;
  object["displayName"] = environment.display_name;
  const auto number = [&](const char* name, const std::optional<std::int64_t>& value) {
    if (value) object[name] = *value;
  };
  number("executionRetentionDays", environment.execution_retention_days);
  number("logRetentionDays", environment.log_retention_days);
  number("metricRetentionDays", environment.metric_retention_days);
  number("jarRetentionCount", environment.jar_retention_count);
  return object;
}

boost::json::object json_of(const RemovedRows& removed) {
  return {{"apiKeys", removed.api_keys},         {"agents", removed.agents},
          {"agentEvents", removed.agent_events}, {"agentTokens", removed.agent_tokens},
          {"commands", removed.commands},        {"configurations", removed.configurations}};
}

AuditEntry entry_of(AuditActor actor, std::string action, const Environment& environment) {
  return {.actor = std::move(actor),
          .category = AuditCategory::environment,
          .action = std::move(action),
          .target = environment.slug,
          .detail = {{"environmentId", environment.id}}};
}

async::Task<Expected<void>> commit_with(postgres::Transaction& transaction, AuditService& audit, AuditEntry entry) {
  auto noted = co_await audit.append(transaction, std::move(entry));
  if (!noted) co_return std::unexpected(noted.error().for_caller());
  auto committed = co_await transaction.commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return Expected<void>{};
}

/// Nothing: lost a deadlock, and is to be repeated.
async::Task<Expected<std::optional<RemovedRows>>> try_to_remove(EnvironmentStore& store, AuditService& audit,
                                                                std::string slug, Instant now, AuditActor actor) {
  auto transaction = co_await store.begin_alone();
  if (!transaction) co_return std::unexpected(transaction.error());
  auto environment = co_await EnvironmentStore::lock(**transaction, std::move(slug));
  if (!environment) co_return std::unexpected(environment.error());
  if (!*environment) co_return no_such_environment();
  auto present = co_await EnvironmentStore::count(**transaction);
  if (!present) co_return std::unexpected(present.error());
  if (*present == 1) co_return fail(ErrorCode::conflict, "The last environment cannot be deleted.", "environment");
  auto removed = co_await EnvironmentStore::remove(**transaction, **environment, now);
  if (!removed && removed.error().sqlstate == "40P01") co_return std::optional<RemovedRows>{};
  if (!removed) co_return std::unexpected(removed.error().for_caller());
  auto entry = entry_of(std::move(actor), "delete_environment", **environment);
  auto before = json_of(**environment);
  before["rows"] = json_of(*removed);
  entry.detail["before"] = std::move(before);
  auto committed = co_await commit_with(**transaction, audit, std::move(entry));
  if (!committed) co_return std::unexpected(committed.error());
  co_return *removed;
}

}  // namespace

bool is_environment_slug(std::string_view slug) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !slug.empty() && slug.size() <= kLongestSlug && std::ranges::all_of(slug, fits) && slug.front() != '-' &&
         slug.back() != '-';
}

WishedDays wished_days_of(const Environment& environment) {
  WishedDays wished;
  wished[TelemetryKind::execution] = environment.execution_retention_days;
  wished[TelemetryKind::log] = environment.log_retention_days;
  wished[TelemetryKind::metric] = environment.metric_retention_days;
  return wished;
}

EnvironmentService::EnvironmentService(postgres::Pool& pool, AuditService& audit, Clock clock, Random random,
                                       EnvironmentSettings settings)
    : store_(pool),
      keys_(pool, audit),
      audit_(audit),
      clock_(std::move(clock)),
      random_(std::move(random)),
      settings_(std::move(settings)),
      recent_environments_(kMaxRecent, kWithoutDatabase),
      recent_keys_by_hash_(kMaxRecent, kRecent),
      recent_keys_by_id_(kMaxRecent, kRecent) {}

void EnvironmentService::forget() {
  ++changes_;
  recent_environments_.clear();
  recent_keys_by_id_.clear();
  recent_keys_by_hash_.clear();
}

async::Task<Expected<std::optional<std::string>>> EnvironmentService::ensure_first(KeepSecret keep) {
  constexpr std::string_view first = "default";
  auto transaction = co_await store_.begin_alone();
  if (!transaction) co_return std::unexpected(transaction.error());
  auto present = co_await EnvironmentStore::count(**transaction);
  if (!present) co_return std::unexpected(present.error());
  if (*present == 0) {
    Environment environment{.id = identity::random_uuid(random_),
                            .slug = std::string(first),
                            .display_name = "Default",
                            .data_name = std::string(first),
                            .created_at = clock_()};
    auto entry = entry_of(system_actor(), "create_environment", environment);
    entry.detail["after"] = json_of(environment);
    auto made = co_await EnvironmentStore::insert(**transaction, std::move(environment));
    if (!made) co_return std::unexpected(made.error());
    auto committed = co_await commit_with(**transaction, audit_, std::move(entry));
    if (!committed) co_return std::unexpected(committed.error());
  }
  transaction->reset();
  auto secret = identity::make_api_key(random_);
  // Several processes may start at once: only the one whose key it is keeps it.
  auto inserted = co_await keys_.insert_first(new_key(std::string(first), "first start", secret), clock_(),
                                              [&] { return keep ? keep(secret.secret) : Expected<void>{}; });
  if (!inserted) co_return std::unexpected(inserted.error());
  if (!*inserted) co_return std::optional<std::string>{};
  co_return std::optional(std::move(secret.secret));
}

async::Task<Expected<std::vector<Environment>>> EnvironmentService::list() {
  co_return co_await store_.list();
}

async::Task<Expected<Environment>> EnvironmentService::find(std::string slug) {
  if (const auto* known = recent_environments_.find(slug, clock_(), kRecent)) co_return *known;
  const auto before = changes_;
  auto found = co_await store_.find(slug);
  if (!found) co_return std::unexpected(found.error());
  if (!*found) {
    recent_environments_.erase(slug);
    co_return no_such_environment();
  }
  if (before == changes_) recent_environments_.put(slug, **found, clock_());
  co_return std::move(**found);
}

Expected<Environment> EnvironmentService::last_known(const std::string& slug) {
  if (const auto* known = recent_environments_.find(slug, clock_())) return *known;
  return fail(ErrorCode::unavailable, "Nothing is known of the environment while the database is not there.");
}

async::Task<Expected<EnvironmentService::Created>> EnvironmentService::create(std::string slug,
                                                                              EnvironmentChange wanted,
                                                                              AuditActor actor) {
  auto transaction = co_await store_.begin_alone();
  if (!transaction) co_return std::unexpected(transaction.error());
  auto present = co_await EnvironmentStore::count(**transaction);
  if (!present) co_return std::unexpected(present.error());
  if (*present >= static_cast<std::int64_t>(most_environments)) {
    co_return fail(ErrorCode::conflict, fmt::format("There may be {} environments at most.", most_environments));
  }
  if (settings_.caps != nullptr) {
    auto allowed = co_await settings_.caps->check(**transaction, LicenseLimit::max_environments, actor);
    if (!allowed) co_return std::unexpected(allowed.error());
  }
  Environment environment{.id = identity::random_uuid(random_),
                          .slug = slug,
                          .display_name = slug,
                          .data_name = slug,
                          .created_at = clock_()};
  apply(wanted, environment);
  auto spent = co_await EnvironmentStore::is_spent(**transaction, slug);
  if (!spent) co_return std::unexpected(spent.error());
  // No slug has a tilde.
  if (*spent) environment.data_name = slug + "~" + environment.id;
  auto inserted = co_await EnvironmentStore::insert(**transaction, environment);
  if (!inserted) co_return std::unexpected(inserted.error());
  if (!*inserted) co_return fail(ErrorCode::conflict, "There is an environment of this name already.", "/slug");
  auto secret = identity::make_api_key(random_);
  auto key = new_key(slug, "initial", secret);
  KeyDescription description{
      .id = key.id, .label = key.label, .prefix = key.prefix, .status = "ACTIVE", .created_at = clock_()};
  auto keyed = co_await keys_.insert(**transaction, std::move(key), description.created_at, actor);
  if (!keyed) co_return std::unexpected(keyed.error());
  auto entry = entry_of(std::move(actor), "create_environment", environment);
  entry.detail["after"] = json_of(environment);
  auto committed = co_await commit_with(**transaction, audit_, std::move(entry));
  if (!committed) co_return std::unexpected(committed.error());
  co_return Created{.environment = std::move(environment),
                    .key = {.description = std::move(description), .secret = std::move(secret.secret)}};
}

async::Task<Expected<Environment>> EnvironmentService::update(std::string slug, EnvironmentChange wanted,
                                                              AuditActor actor) {
  auto transaction = co_await store_.begin();
  if (!transaction) co_return std::unexpected(transaction.error());
  auto environment = co_await EnvironmentStore::lock(**transaction, std::move(slug));
  if (!environment) co_return std::unexpected(environment.error());
  if (!*environment) co_return no_such_environment();
  auto entry = entry_of(std::move(actor), "update_environment", **environment);
  entry.detail["before"] = json_of(**environment);
  apply(wanted, **environment);
  entry.detail["after"] = json_of(**environment);
  auto updated = co_await EnvironmentStore::update(**transaction, **environment);
  if (!updated) co_return std::unexpected(updated.error());
  auto committed = co_await commit_with(**transaction, audit_, std::move(entry));
  forget();
  if (!committed) co_return std::unexpected(committed.error());
  co_return std::move(**environment);
}

async::Task<Expected<RemovedRows>> EnvironmentService::remove(std::string slug, AuditActor actor) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto removed = co_await try_to_remove(store_, audit_, slug, clock_(), actor);
    // Also after a failure: nobody knows whether the commit went through.
    forget();
    if (!removed) co_return std::unexpected(removed.error());
    if (*removed) co_return **removed;
  }
  co_return fail(ErrorCode::unavailable, "The environment is too busy to be deleted just now.");
}

}  // namespace cameleer::server
