#include "server/oidc/oidc_configuration_service.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "server/oidc/oidc_sealed_columns.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr const char* kSealed = "sealedClientSecret";
constexpr std::chrono::seconds kReadInterval{5};

/// Both sides as they may be shown.
json::object change_of(const OidcFields& before, const OidcFields& after) {
  const auto side = [](const OidcFields& fields) {
    auto object = json_of(fields);
    object["clientSecretSet"] = fields.client_secret.has_value();
    return object;
  };
  return {{"before", side(before)},
          {"after", side(after)},
          {"clientSecretChanged", before.client_secret != after.client_secret}};
}

bool same_client(const OidcFields& one, const OidcFields& other) {
  const auto of = [](const OidcFields& fields) {
    return std::tie(fields.issuer_uri, fields.discovery_url, fields.client_id, fields.client_secret,
                    fields.client_authentication, fields.scope, fields.token_parameters);
  };
  return of(one) == of(other);
}

}  // namespace

identity::ProviderExpectations OidcProvider::access_expectations() const {
  identity::ProviderExpectations expected;
  expected.use = identity::ProviderExpectations::Use::access;
  expected.issuer = *fields.issuer_uri;
  expected.audience = *fields.audience;
  if (fields.required_claims) {
    expected.required_claims.assign(fields.required_claims->begin(), fields.required_claims->end());
  }
  return expected;
}

OidcConfigurationService::OidcConfigurationService(OidcStore& store, const identity::Keys& keys, identity::Fetch fetch,
                                                   Clock clock, Random random, OidcFields settings)
    : store_(store),
      keys_(keys),
      fetch_(std::move(fetch)),
      clock_(std::move(clock)),
      random_(std::move(random)),
      settings_(std::move(settings)) {
  adopt(std::nullopt);
}

async::Task<Expected<void>> OidcConfigurationService::load() {
  auto read = co_await refresh();
  if (!read) co_return read;
  if (auto problem = problem_of(overlay(settings_, stored_))) {
    co_return fail(ErrorCode::bad_configuration,
                   "The OpenID provider's settings and what is stored do not fit together. " + problem->message,
                   "cameleer.server.oidc");
  }
  co_return Expected<void>{};
}

void OidcConfigurationService::adopt(const std::optional<std::string>& text) {
  stored_ = {};
  if (text) {
    boost::system::error_code error;
    const auto value = json::parse(*text, error);
    if (!error && value.is_object()) {
      stored_ = fields_of(value.get_object());
      const auto* sealed = value.get_object().if_contains(kSealed);
      stored_.client_secret.reset();
      if (sealed != nullptr && sealed->is_string()) {
        stored_.client_secret = identity::open(keys_, sealed->get_string(), kOidcSecretPlace);
      }
    }
  }
  text_ = text;
  ++generation_;
  const auto before = std::exchange(provider_, nullptr);
  const auto fields = overlay(settings_, stored_);
  if (!fields.issuer_uri || problem_of(fields)) return;
  auto client = before && same_client(before->fields, fields)
                    ? before->client
                    : std::make_shared<identity::OidcClient>(client_settings_of(fields), fetch_, clock_);
  provider_ = std::make_shared<OidcProvider>(OidcProvider{fields, std::move(client), generation_});
}

async::Task<Expected<void>> OidcConfigurationService::refresh() {
  const auto now = clock_();
  if (read_at_ && now - *read_at_ < kReadInterval && now >= *read_at_) co_return Expected<void>{};
  const auto before = generation_;
  auto text = co_await store_.read_configuration();
  if (!text) {
    if (read_at_) co_return Expected<void>{};
    co_return std::unexpected(text.error());
  }
  // What was read before a change must not undo it.
  if (before != generation_) co_return Expected<void>{};
  if (*text != text_) adopt(*text);
  read_at_ = now;
  co_return Expected<void>{};
}

async::Task<Expected<std::shared_ptr<OidcProvider>>> OidcConfigurationService::provider() {
  auto read = co_await refresh();
  if (!read) co_return std::unexpected(read.error());
  co_return provider_;
}

async::Task<> OidcConfigurationService::run() {
  auto executor = co_await async::asio::this_coro::executor;
  for (;;) {
    co_await async::sleep_for(executor, kReadInterval);
    if ((co_await async::asio::this_coro::cancellation_state).cancelled() != async::asio::cancellation_type::none) {
      co_return;
    }
    (void)co_await refresh();
  }
}

bool OidcConfigurationService::people_can_sign_in() const {
  return provider_ && provider_->fields.client_id.has_value();
}

async::Task<Expected<ClaimPolicy>> OidcConfigurationService::claim_policy() {
  if (auto read = co_await refresh(); !read) co_return std::unexpected(read.error());
  const auto fields = overlay(settings_, stored_);
  ClaimPolicy policy;
  if (fields.roles_claim) policy.roles_claim = *fields.roles_claim;
  if (fields.default_roles) policy.default_roles = *fields.default_roles;
  policy.strict = fields.strict.value_or(false);
  co_return policy;
}

async::Task<Expected<OidcConfigurationService::View>> OidcConfigurationService::view() {
  auto read = co_await refresh();
  if (!read) co_return std::unexpected(read.error());
  co_return View{.fields = overlay(settings_, stored_), .fixed = fixed_members(settings_)};
}

Expected<OidcFields> OidcConfigurationService::complete(OidcFields fields) const {
  for (const auto& field : oidc_fields()) {
    const bool differs = std::visit(
        [&](auto at) {
          auto& given = fields.*at;
          const bool other = settings_.*at && given && given != settings_.*at;
          if (settings_.*at) given.reset();
          return other;
        },
        field.at);
    if (differs) {
      return fail(ErrorCode::invalid_member, fmt::format("/{}: is fixed by {}", field.member, field.setting),
                  fmt::format("/{}", field.member));
    }
  }
  const bool same_provider = fields.issuer_uri == stored_.issuer_uri && fields.discovery_url == stored_.discovery_url &&
                             fields.client_id == stored_.client_id;
  // A secret goes to the provider that it was given for, and to no other.
  if (!fields.client_secret && !settings_.client_secret && same_provider) fields.client_secret = stored_.client_secret;
  if (auto problem = problem_of(overlay(settings_, fields))) return std::unexpected(std::move(*problem));
  return fields;
}

std::string OidcConfigurationService::stored_text(const OidcFields& fields) const {
  auto object = json_of(fields);
  if (fields.client_secret) object[kSealed] = identity::seal(keys_, *fields.client_secret, kOidcSecretPlace, random_);
  return json::serialize(object);
}

async::Task<Expected<OidcConfigurationService::View>> OidcConfigurationService::replace(OidcFields fields,
                                                                                        AuditActor actor) {
  if (auto read = co_await refresh(); !read) co_return std::unexpected(read.error());
  auto completed = complete(std::move(fields));
  if (!completed) co_return std::unexpected(completed.error());
  const auto text = stored_text(*completed);
  AuditEntry entry{.actor = std::move(actor),
                   .category = AuditCategory::config,
                   .action = "update_oidc_configuration",
                   .target = completed->issuer_uri.value_or(settings_.issuer_uri.value_or("")),
                   .detail = change_of(stored_, *completed)};
  auto written = co_await store_.write_configuration(text, std::move(entry));
  read_at_.reset();
  if (!written) co_return std::unexpected(written.error());
  if (auto read = co_await refresh(); !read) co_return std::unexpected(read.error());
  co_return View{.fields = overlay(settings_, stored_), .fixed = fixed_members(settings_)};
}

async::Task<Expected<void>> OidcConfigurationService::remove(AuditActor actor) {
  if (auto read = co_await refresh(); !read) co_return read;
  AuditEntry entry{.actor = std::move(actor),
                   .category = AuditCategory::config,
                   .action = "delete_oidc_configuration",
                   .target = stored_.issuer_uri.value_or(""),
                   .detail = change_of(stored_, {})};
  auto written = co_await store_.write_configuration(std::nullopt, std::move(entry));
  read_at_.reset();
  if (!written) co_return written;
  co_return co_await refresh();
}

async::Task<Expected<std::vector<identity::OidcClient::Check>>> OidcConfigurationService::test(
    std::optional<OidcFields> fields) {
  if (auto read = co_await refresh(); !read) co_return std::unexpected(read.error());
  auto completed = fields ? complete(std::move(*fields)) : Expected<OidcFields>(stored_);
  if (!completed) co_return std::unexpected(completed.error());
  const auto both = overlay(settings_, *completed);
  if (!both.issuer_uri) co_return fail(ErrorCode::invalid_member, "/issuerUri: is required", "/issuerUri");
  auto client = std::make_shared<identity::OidcClient>(client_settings_of(both), fetch_, clock_);
  co_return co_await client->check();
}

}  // namespace cameleer::server
