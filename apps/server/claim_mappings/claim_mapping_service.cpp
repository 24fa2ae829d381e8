#include "server/claim_mappings/claim_mapping_service.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <cameleer/identity/encoding.hpp>
#include <set>

namespace cameleer::server {
namespace {

namespace json = boost::json;

json::object json_of(const claims::Rule& rule) {
  json::object object;
  object["claim"] = rule.claim;
  object["matchType"] = claims::name_of(rule.match);
  object["matchValue"] = rule.value;
  object["action"] = claims::name_of(rule.action);
  object["target"] = rule.target;
  object["priority"] = rule.priority;
  return object;
}

AuditEntry entry_of(const Caller& caller, std::string action, const std::string& target) {
  return {.actor = caller.actor, .category = AuditCategory::rbac, .action = std::move(action), .target = target};
}

/// A rule gives its target to whom its claim fits; a target that does not exist yet gives nothing.
Expected<void> check_may_promise(const Caller& caller, const rbac::Directory& directory, const claims::Rule& rule) {
  if (rule.action == claims::Action::assign_role) {
    const auto* role = find_role(directory, rule.target);
    return role == nullptr ? Expected<void>{} : check_may_grant(caller, role->permissions);
  }
  const auto* group = find_group(directory, rule.target);
  return group == nullptr ? Expected<void>{} : check_may_grant(caller, permissions_of_group(directory, group->id));
}

Error no_such_rule() {
  return {ErrorCode::rule_not_found, "There is no claim mapping rule of this id.", "ruleId"};
}

async::Task<Expected<StoredRule>> rule_of(postgres::Transaction& transaction, std::string id) {
  auto rules = co_await ClaimMappingStore::list(transaction);
  if (!rules) co_return std::unexpected(rules.error());
  const auto found = std::ranges::find_if(*rules, [&](const StoredRule& one) { return one.rule.id == id; });
  if (found == rules->end()) co_return std::unexpected(no_such_rule());
  co_return std::move(*found);
}

}  // namespace

async::Task<Expected<ClaimPolicy>> usual_claim_policy() {
  co_return ClaimPolicy{};
}

async::Task<Expected<std::vector<StoredRule>>> ClaimMappingService::list() {
  co_return co_await ClaimMappingStore::list(pool_);
}

async::Task<Expected<StoredRule>> ClaimMappingService::find(std::string id) {
  auto rules = co_await ClaimMappingStore::list(pool_);
  if (!rules) co_return std::unexpected(rules.error());
  const auto found = std::ranges::find_if(*rules, [&](const StoredRule& one) { return one.rule.id == id; });
  if (found == rules->end()) co_return std::unexpected(no_such_rule());
  co_return std::move(*found);
}

async::Task<Expected<StoredRule>> ClaimMappingService::create(Caller caller, claims::Rule rule) {
  auto transaction = co_await begin_access_change(pool_);
  if (!transaction) co_return std::unexpected(transaction.error());
  auto rules = co_await ClaimMappingStore::list(**transaction);
  if (!rules) co_return std::unexpected(rules.error());
  if (rules->size() >= claims::most_rules) {
    co_return fail(ErrorCode::conflict, fmt::format("There may be {} rules at most.", claims::most_rules));
  }
  auto directory = co_await read_directory(**transaction);
  if (!directory) co_return std::unexpected(directory.error());
  if (auto may = check_may_promise(caller, *directory, rule); !may) co_return std::unexpected(may.error());
  rule.id = identity::random_uuid(random_);
  StoredRule stored{.rule = std::move(rule), .created_at = clock_(), .updated_at = clock_()};
  auto inserted = co_await ClaimMappingStore::insert(**transaction, stored);
  if (!inserted) co_return std::unexpected(inserted.error());
  auto entry = entry_of(caller, "create_claim_mapping", stored.rule.id);
  entry.detail["after"] = json_of(stored.rule);
  auto committed = co_await commit_access_change(std::move(*transaction), audit_, std::move(entry));
  if (!committed) co_return std::unexpected(committed.error());
  co_return stored;
}

async::Task<Expected<StoredRule>> ClaimMappingService::update(Caller caller, claims::Rule rule) {
  auto transaction = co_await begin_access_change(pool_);
  if (!transaction) co_return std::unexpected(transaction.error());
  auto before = co_await rule_of(**transaction, rule.id);
  if (!before) co_return before;
  auto directory = co_await read_directory(**transaction);
  if (!directory) co_return std::unexpected(directory.error());
  if (auto may = check_may_promise(caller, *directory, rule); !may) co_return std::unexpected(may.error());
  StoredRule stored{.rule = std::move(rule), .created_at = before->created_at, .updated_at = clock_()};
  auto updated = co_await ClaimMappingStore::update(**transaction, stored);
  if (!updated) co_return std::unexpected(updated.error());
  auto entry = entry_of(caller, "update_claim_mapping", stored.rule.id);
  entry.detail["before"] = json_of(before->rule);
  entry.detail["after"] = json_of(stored.rule);
  auto committed = co_await commit_access_change(std::move(*transaction), audit_, std::move(entry));
  if (!committed) co_return std::unexpected(committed.error());
  co_return stored;
}

async::Task<Expected<void>> ClaimMappingService::remove(Caller caller, std::string id) {
  auto transaction = co_await begin_access_change(pool_);
  if (!transaction) co_return std::unexpected(transaction.error());
  auto before = co_await rule_of(**transaction, std::move(id));
  if (!before) co_return std::unexpected(before.error());
  auto removed = co_await ClaimMappingStore::remove(**transaction, before->rule.id);
  if (!removed) co_return removed;
  auto entry = entry_of(caller, "delete_claim_mapping", before->rule.id);
  entry.detail["before"] = json_of(before->rule);
  auto committed = co_await commit_access_change(std::move(*transaction), audit_, std::move(entry));
  auth_.forget_known();
  co_return committed;
}

async::Task<Expected<std::vector<StoredRule>>> ClaimMappingService::reorder(Caller caller,
                                                                            std::vector<std::string> ids) {
  auto transaction = co_await begin_access_change(pool_);
  if (!transaction) co_return std::unexpected(transaction.error());
  auto rules = co_await ClaimMappingStore::list(**transaction);
  if (!rules) co_return std::unexpected(rules.error());
  std::set<std::string> known;
  json::array before, after;
  for (const auto& one : *rules) {
    known.insert(one.rule.id);
    before.emplace_back(one.rule.id);
  }
  for (const auto& id : ids) after.emplace_back(id);
  if (known != std::set(ids.begin(), ids.end()) || ids.size() != known.size()) {
    co_return fail(ErrorCode::conflict, "/ids: must name every rule once", "/ids");
  }
  auto reordered = co_await ClaimMappingStore::reorder(**transaction, std::move(ids), clock_());
  if (!reordered) co_return std::unexpected(reordered.error());
  auto now = co_await ClaimMappingStore::list(**transaction);
  if (!now) co_return now;
  auto entry = entry_of(caller, "reorder_claim_mappings", "");
  entry.detail["before"] = std::move(before);
  entry.detail["after"] = std::move(after);
  auto committed = co_await commit_access_change(std::move(*transaction), audit_, std::move(entry));
  if (!committed) co_return std::unexpected(committed.error());
  co_return now;
}

}  // namespace cameleer::server
