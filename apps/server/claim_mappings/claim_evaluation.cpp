// What ClaimMappingService makes of claims: tried out, and applied at a login.
#include <boost/json/array.hpp>

#include "server/claim_mappings/claim_mapping_service.hpp"
#include "server/claim_mappings/token_claims.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;

claims::Policy policy_over(const ClaimPolicy& given, const rbac::Directory& directory) {
  claims::Policy policy{.roles_claim = given.roles_claim,
                        .default_roles = given.default_roles,
                        .strict = given.strict,
                        .roles = {},
                        .groups = {}};
  for (const auto& [id, role] : directory.roles) policy.roles.insert(role.name);
  for (const auto& [id, group] : directory.groups) policy.groups.insert(group.name);
  return policy;
}

Expected<claims::Outcome> evaluate(std::vector<claims::Rule> rules, std::string_view text, const ClaimPolicy& given,
                                   const rbac::Directory& directory) {
  auto set = claims::RuleSet::compile(std::move(rules));
  if (!set) return std::unexpected(set.error());
  return set->evaluate(text, policy_over(given, directory));
}

template <class Value>
std::vector<rbac::Assignment> wanted_of(const std::vector<claims::Assigned>& given,
                                        const std::map<std::string, Value, std::less<>>& values) {
  std::map<std::string, std::string, std::less<>> ids;
  for (const auto& [id, value] : values) ids[value.name] = id;
  std::vector<rbac::Assignment> wanted;
  for (const auto& one : given) {
    const auto found = ids.find(one.name);
    if (found == ids.end()) continue;
    wanted.push_back({.target_id = found->second, .origin = rbac::Origin::managed, .mapping_id = one.rule_id});
  }
  return wanted;
}

struct Differences {
  rbac::Difference roles, groups;
  [[nodiscard]] bool empty() const { return roles.empty() && groups.empty(); }
};

Differences differences_of(const claims::Outcome& outcome, const Assignments& present,
                           const rbac::Directory& directory) {
  return {.roles = rbac::managed_difference(present.roles, wanted_of(outcome.roles, directory.roles)),
          .groups = rbac::managed_difference(present.groups, wanted_of(outcome.groups, directory.groups))};
}

/// By names; what only changes its rule is no difference to a person.
template <class Value>
Simulation::Names names_of(const rbac::Difference& difference,
                           const std::map<std::string, Value, std::less<>>& values) {
  const auto names = [&](const std::vector<rbac::Assignment>& list, const std::vector<rbac::Assignment>& other) {
    std::vector<std::string> result;
    for (const auto& one : list) {
      const auto same = [&](const auto& that) { return that.target_id == one.target_id; };
      const auto found = values.find(one.target_id);
      if (found != values.end() && std::ranges::none_of(other, same)) result.push_back(found->second.name);
    }
    return result;
  };
  return {.add = names(difference.add, difference.remove), .remove = names(difference.remove, difference.add)};
}

json::object json_of(const Simulation::Names& names) {
  json::object object;
  json::array add, remove;
  for (const auto& name : names.add) add.emplace_back(name);
  for (const auto& name : names.remove) remove.emplace_back(name);
  object["added"] = std::move(add);
  object["removed"] = std::move(remove);
  return object;
}

std::vector<claims::Rule> plain(std::vector<StoredRule> stored) {
  std::vector<claims::Rule> rules;
  rules.reserve(stored.size());
  for (auto& one : stored) rules.push_back(std::move(one.rule));
  return rules;
}

}  // namespace

std::optional<Error> refusal_of(const claims::Outcome& outcome) {
  if (outcome.overage) {
    return Error{ErrorCode::group_overage,
                 fmt::format("The provider left the claim '{}' out of the token, for it has too many values, and roles "
                             "here depend on it. At the provider, let the token hold only the groups that are assigned "
                             "to this application, or application roles in place of groups.",
                             outcome.left_out)};
  }
  if (outcome.refused) return Error{ErrorCode::forbidden, "No rule gives this account a role here."};
  return std::nullopt;
}

async::Task<Expected<void>> ClaimMappingService::check_claims(std::string claims) {
  auto policy = co_await policy_of_();
  if (!policy) co_return std::unexpected(policy.error());
  auto directory = co_await read_directory(pool_);
  if (!directory) co_return std::unexpected(directory.error());
  auto stored = co_await ClaimMappingStore::list(pool_);
  if (!stored) co_return std::unexpected(stored.error());
  auto outcome = evaluate(plain(std::move(*stored)), claims, *policy, *directory);
  if (!outcome) co_return std::unexpected(outcome.error());
  if (auto refusal = refusal_of(*outcome)) co_return std::unexpected(std::move(*refusal));
  co_return Expected<void>{};
}

async::Task<Expected<Simulation>> ClaimMappingService::simulate(Trial trial) {
  Simulation simulation;
  std::optional<ClaimsUser> user;
  if (trial.user) {
    auto found = co_await ClaimMappingStore::find_user(pool_, *trial.user);
    if (!found) co_return std::unexpected(found.error());
    user = std::move(*found);
  }
  if (!trial.claims && trial.token) {
    auto decoded = unverified_claims(*trial.token);
    if (!decoded) co_return std::unexpected(decoded.error());
    trial.claims = std::move(*decoded);
    simulation.token_was_decoded = true;
  }
  if (!trial.claims && user) trial.claims = user->last_claims;
  if (!trial.claims) {
    if (user) co_return fail(ErrorCode::conflict, "The user has not signed in with a provider yet.", "/userId");
    co_return fail(ErrorCode::invalid_member, "One of /claims, /token and /userId is required.", "/claims");
  }
  auto directory = co_await read_directory(pool_);
  if (!directory) co_return std::unexpected(directory.error());
  if (!trial.rules) {
    auto stored = co_await ClaimMappingStore::list(pool_);
    if (!stored) co_return std::unexpected(stored.error());
    trial.rules = plain(std::move(*stored));
  }
  auto policy = co_await policy_of_();
  if (!policy) co_return std::unexpected(policy.error());
  auto outcome = evaluate(std::move(*trial.rules), *trial.claims, *policy, *directory);
  if (!outcome) co_return std::unexpected(outcome.error());
  simulation.outcome = std::move(*outcome);
  if (!user) co_return simulation;
  auto present = co_await read_assignments(pool_, user->id);
  if (!present) co_return std::unexpected(present.error());
  const auto differences = differences_of(simulation.outcome, *present, *directory);
  simulation.user = {.user_id = user->id,
                     .username = user->username,
                     .roles = names_of(differences.roles, directory->roles),
                     .groups = names_of(differences.groups, directory->groups)};
  co_return simulation;
}

async::Task<Expected<AppliedClaims>> ClaimMappingService::apply_claims(std::string user_id, std::string claims,
                                                                       AuditActor actor) {
  // Before the transaction: a policy that comes from the database must not wait for a connection that we hold.
  auto policy = co_await policy_of_();
  if (!policy) co_return std::unexpected(policy.error());
  auto transaction = co_await begin_access_change(pool_, Turn::beside_others);
  if (!transaction) co_return std::unexpected(transaction.error());
  auto& open = **transaction;
  auto user = co_await ClaimMappingStore::lock_user(open, user_id);
  if (!user) co_return std::unexpected(user.error());
  auto directory = co_await read_directory(open);
  if (!directory) co_return std::unexpected(directory.error());
  auto stored = co_await ClaimMappingStore::list(open);
  if (!stored) co_return std::unexpected(stored.error());
  auto outcome = evaluate(plain(std::move(*stored)), claims, *policy, *directory);
  if (!outcome) co_return std::unexpected(outcome.error());
  const auto refusal = refusal_of(*outcome);
  // What rules gave before still counts: nobody knows what they would give now.
  if (outcome->overage) co_return std::unexpected(*refusal);
  auto present = co_await read_assignments(open, user->id);
  if (!present) co_return std::unexpected(present.error());
  const auto differences = differences_of(*outcome, *present, *directory);
  const auto now = clock_();
  auto roles = co_await ClaimMappingStore::put_managed(open, true, user->id, differences.roles, now);
  if (!roles) co_return std::unexpected(roles.error());
  auto groups = co_await ClaimMappingStore::put_managed(open, false, user->id, differences.groups, now);
  if (!groups) co_return std::unexpected(groups.error());
  auto kept = co_await ClaimMappingStore::put_claims(open, user->id, std::move(claims), now);
  if (!kept) co_return std::unexpected(kept.error());
  AppliedClaims applied{.outcome = std::move(*outcome), .changed = !differences.empty()};
  if (!applied.changed) {
    auto committed = co_await open.commit();
    if (!committed) co_return std::unexpected(committed.error().for_caller());
    if (refusal) co_return std::unexpected(*refusal);
    co_return applied;
  }
  AuditEntry entry{.actor = std::move(actor),
                   .category = AuditCategory::rbac,
                   .action = "apply_claim_mappings",
                   .target = user->username};
  entry.detail["userId"] = user->id;
  entry.detail["roles"] = json_of(names_of(differences.roles, directory->roles));
  entry.detail["groups"] = json_of(names_of(differences.groups, directory->groups));
  auto committed = co_await commit_access_change(std::move(*transaction), audit_, std::move(entry));
  auth_.forget_known();
  if (!committed) co_return std::unexpected(committed.error());
  if (refusal) co_return std::unexpected(*refusal);
  co_return applied;
}

}  // namespace cameleer::server
