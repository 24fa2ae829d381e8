#pragma once
#include "server/auth/auth_service.hpp"
#include "server/claim_mappings/claim_mapping_store.hpp"

namespace cameleer::server {

/// What claims give beside the rules; from the configuration of the OpenID provider.
struct ClaimPolicy {
  std::string roles_claim = "roles";
  std::vector<std::string> default_roles{"VIEWER"};
  bool strict = false;
};
using ClaimPolicyOf = std::function<async::Task<Expected<ClaimPolicy>>()>;
/// The values above, always.
async::Task<Expected<ClaimPolicy>> usual_claim_policy();

/// Why somebody with these claims is not let in: `group_overage`, when the provider left out a claim that a rule or the
/// roles claim reads; `forbidden`, when strict and nothing matched. Nothing: they are.
std::optional<Error> refusal_of(const claims::Outcome& outcome);

/// What a login would do.
struct Simulation {
  claims::Outcome outcome;
  /// Of a user: what the managed assignments would become, by names.
  struct Names {
    std::vector<std::string> add, remove;
  };
  struct UserChange {
    std::string user_id, username;
    Names roles, groups;
  };
  std::optional<UserChange> user;
  bool token_was_decoded = false;  ///< and not verified
};

/// What a login gave.
struct AppliedClaims {
  claims::Outcome outcome;
  bool changed = false;
};

/// The rules from claims to roles and groups: kept in order, tried out, and applied at logins. I/O thread only.
class ClaimMappingService {
 public:
  ClaimMappingService(postgres::Pool& pool, AuthService& auth, AuditService& audit, Clock clock, Random random,
                      ClaimPolicyOf policy_of = usual_claim_policy)
      : pool_(pool),
        auth_(auth),
        audit_(audit),
        clock_(std::move(clock)),
        random_(std::move(random)),
        policy_of_(std::move(policy_of)) {}

  async::Task<Expected<std::vector<StoredRule>>> list();
  /// `rule_not_found`.
  async::Task<Expected<StoredRule>> find(std::string id);
  /// `rule` has passed `claims::check`. `forbidden`: its target gives a permission that the caller lacks.
  async::Task<Expected<StoredRule>> create(Caller caller, claims::Rule rule);
  /// What the rule gave before stays until the next login.
  async::Task<Expected<StoredRule>> update(Caller caller, claims::Rule rule);
  /// What the rule gave ends with it.
  async::Task<Expected<void>> remove(Caller caller, std::string id);
  /// `ids` are all rules, in their new order; `conflict` when they are not.
  async::Task<Expected<std::vector<StoredRule>>> reorder(Caller caller, std::vector<std::string> ids);

  struct Trial {
    std::optional<std::string> claims;  ///< JSON object
    std::optional<std::string> token;   ///< its payload is decoded, its signature not looked at
    std::optional<std::string> user;    ///< id or name; the claims of the last login when none of the others is there
    std::optional<std::vector<claims::Rule>> rules;  ///< instead of the stored ones
  };
  async::Task<Expected<Simulation>> simulate(Trial trial);

  /// What `apply_claims` would refuse for, before anything is stored of somebody who has not been here yet.
  async::Task<Expected<void>> check_claims(std::string claims);

  /// Evaluates all rules on the claims (JSON) of a verified token and writes the difference to the managed assignments
  /// of the user, in one transaction, recorded when there was one. Direct assignments are never touched. Concurrent
  /// calls for one user take turns; the last one counts. `group_overage`: nothing was written. `forbidden`: strict and
  /// nothing matched; what rules gave before is gone.
  async::Task<Expected<AppliedClaims>> apply_claims(std::string user_id, std::string claims, AuditActor actor);

 private:
  postgres::Pool& pool_;
  AuthService& auth_;
  AuditService& audit_;
  Clock clock_;
  Random random_;
  ClaimPolicyOf policy_of_;
};

}  // namespace cameleer::server
