#pragma once
#include <cameleer/core/error.hpp>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// From the claims of a token to roles and groups, with a reason for each step: what an administrator sees in the
/// simulator is what a login does.
namespace cameleer::claims {

/// `equals`: the claim is exactly this text (numbers and booleans by their JSON text), or an array of exactly this one
/// element. `contains`: one of its elements is; a text counts as a list separated by spaces, as `scope` is. `regex`:
/// RE2 matches one element from its beginning to its end.
enum class Match : std::uint8_t { equals, contains, regex };
enum class Action : std::uint8_t { assign_role, add_to_group };
std::string_view name_of(Match match);
std::optional<Match> match_of(std::string_view name);
std::string_view name_of(Action action);
std::optional<Action> action_of(std::string_view name);

struct Rule {
  std::string id;  ///< UUID; also what breaks ties of equal priority
  std::string
      claim;  ///< a member's name, dots included (`https://acme/roles`), else a path of names (`realm_access.roles`)
  Match match = Match::contains;
  std::string value;
  Action action = Action::assign_role;
  std::string target;  ///< name of a role or of a group
  int priority = 0;    ///< rules are evaluated from the lowest to the highest
};

/// At most so much of a rule; RE2 gets 1 MiB for a pattern.
inline constexpr std::size_t longest_claim = 256, longest_value = 1'024, longest_target = 256, most_rules = 500;

/// The member (`claim`, `value`, `target`) and its rule, when it cannot be kept.
Expected<void> check(const Rule& rule);

enum class Verdict : std::uint8_t {
  matched,
  claim_absent,    ///< there is nothing at that path
  not_comparable,  ///< an object, or an array with one in it
  differs,
  left_out,        ///< the provider says that it left the claim out because it is too long (group overage)
  unknown_target,  ///< it matched, and its role or group does not exist
};
std::string_view name_of(Verdict verdict);

/// What became of one rule.
struct Trace {
  Rule rule;
  Verdict verdict = Verdict::differs;
  std::vector<std::string> read;  ///< what the claim held, at most 50 elements of 256 bytes
  std::string explanation;        ///< one sentence
};

/// Why somebody gets a role or group.
enum class Source : std::uint8_t { rule, scope, roles_claim, fallback };
std::string_view name_of(Source source);
struct Assigned {
  std::string name;
  Source source = Source::rule;
  std::string rule_id;  ///< of a rule
  friend bool operator==(const Assigned&, const Assigned&) = default;
};

struct Policy {
  std::string roles_claim;  ///< path; empty: none. `scope` reads `server:*` scopes and nothing else
  std::vector<std::string> default_roles{"VIEWER"};  ///< only when rules, scopes and roles claim give nothing
  bool strict = false;                               ///< nothing matched: no entry, no default roles
  std::set<std::string, std::less<>> roles;          ///< that exist; AGENT is never given
  std::set<std::string, std::less<>> groups;
};

struct Outcome {
  std::vector<Trace> trace;     ///< every rule, in the order of evaluation
  std::vector<Assigned> roles;  ///< each once, by its first reason
  std::vector<Assigned> groups;
  bool fallback = false;      ///< the default roles were given
  bool refused = false;       ///< strict, and nothing matched
  bool overage = false;       ///< the provider left out a claim that is read here, so that nothing can be decided
  std::string left_out = {};  ///< that claim; of several the first
};

/// Rules in their order, patterns compiled. Immutable; threads may share it.
class RuleSet {
 public:
  /// Every rule has passed `check`; one that has not is `bad_configuration`.
  static Expected<RuleSet> compile(std::vector<Rule> rules);
  /// `claims`: a JSON object of at most 256 KiB; `malformed_body` otherwise.
  [[nodiscard]] Expected<Outcome> evaluate(std::string_view claims, const Policy& policy) const;
  [[nodiscard]] std::span<const Rule> rules() const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

/// The role of the highest of the scopes `server:admin`, `server:operator`, `server:viewer` (any case) in a list
/// separated by spaces. No other scope gives a role.
std::optional<std::string_view> role_of_scopes(std::string_view scopes);

}  // namespace cameleer::claims
