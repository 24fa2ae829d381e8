#include "server/oidc/provider_users.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxName = 256;

const json::value* at_path(const json::object& claims, std::string_view path) {
  if (const auto* whole = claims.if_contains(path)) return whole;
  const json::object* object = &claims;
  for (;;) {
    const auto dot = path.find('.');
    const auto* member = object->if_contains(path.substr(0, dot));
    if (member == nullptr || dot == std::string_view::npos) return member;
    if (!member->is_object()) return nullptr;
    object = &member->get_object();
    path.remove_prefix(dot + 1);
  }
}

bool is_name(const std::string& text) {
  return text.size() <= kMaxName && text.find_first_not_of(' ') != std::string::npos &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

NewProviderUser new_user(const OidcProvider& provider, std::string id, const std::string& subject,
                         const std::string& claims) {
  NewProviderUser user{.id = std::move(id),
                       .issuer = *provider.fields.issuer_uri,
                       .subject = subject,
                       .display_name = text_claim(claims, provider.fields.display_name_claim.value_or("name")),
                       .email = text_claim(claims, "email"),
                       .usernames = {}};
  if (!is_name(*user.email)) user.email.reset();
  for (const auto* claim : {"preferred_username", "username", "email"}) {
    if (auto name = text_claim(claims, claim); is_name(name)) user.usernames.push_back(std::move(name));
  }
  // Somebody else may have the names already.
  if (const auto name = "oidc:" + subject; is_name(name)) user.usernames.push_back(name);
  user.usernames.push_back("oidc:" + identity::sha256_hex(user.issuer + "\n" + subject).substr(0, 32));
  if (!is_name(user.display_name)) user.display_name = user.usernames.front();
  return user;
}

}  // namespace

std::string text_claim(std::string_view claims, std::string_view path) {
  boost::system::error_code error;
  const auto value = json::parse({claims.data(), claims.size()}, error);
  if (error || !value.is_object()) return {};
  const auto* found = at_path(value.get_object(), path);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::string merged_claims(std::string_view first, std::string_view second) {
  const auto object_in = [](std::string_view text) {
    boost::system::error_code error;
    auto value = json::parse({text.data(), text.size()}, error);
    return error || !value.is_object() ? json::object() : std::move(value.get_object());
  };
  auto result = object_in(second);
  for (const auto& [name, value] : object_in(first)) result[name] = value;
  return json::serialize(result);
}

ProviderUsers::ProviderUsers(OidcStore& store, ClaimMappingService& mappings, Clock clock, Random random,
                             bool always_sign_up)
    : store_(store),
      mappings_(mappings),
      clock_(std::move(clock)),
      random_(std::move(random)),
      always_sign_up_(always_sign_up) {}

async::Task<Expected<ProviderUser>> ProviderUsers::make(std::shared_ptr<OidcProvider> provider, std::string subject,
                                                        std::string claims, AuditActor actor) {
  if (!always_sign_up_ && !provider->fields.auto_signup.value_or(true)) {
    co_return fail(ErrorCode::forbidden, "There is no user for this account, and sign-up is off.");
  }
  // Of somebody who is not let in nothing is kept.
  auto admitted = co_await mappings_.check_claims(claims);
  if (!admitted) co_return std::unexpected(admitted.error());
  auto user = new_user(*provider, identity::random_uuid(random_), subject, claims);
  co_return co_await store_.insert_user(std::move(user), std::move(actor), clock_());
}

async::Task<Expected<std::string>> ProviderUsers::admit(std::shared_ptr<OidcProvider> provider, std::string subject,
                                                        std::string claims, AuditActor actor) {
  // OpenID Connect Core, 2: at most 255 ASCII characters.
  if (subject.size() > 255 || subject.find('\0') != std::string::npos) {
    co_return fail(ErrorCode::invalid_token, "The token's subject is too long, or no text.");
  }
  auto found = co_await store_.find_user(*provider->fields.issuer_uri, subject);
  if (!found) co_return std::unexpected(found.error());
  auto user = *found ? Expected<ProviderUser>(std::move(**found))
                     : co_await make(std::move(provider), std::move(subject), claims, actor);
  if (!user) co_return std::unexpected(user.error());
  if (!user->enabled) co_return fail(ErrorCode::forbidden, "The user is disabled.");
  actor.username = user->username;
  actor.user_id = user->id;
  auto applied = co_await mappings_.apply_claims(user->id, std::move(claims), std::move(actor));
  if (!applied) co_return std::unexpected(applied.error());
  co_return std::move(user->id);
}

}  // namespace cameleer::server
