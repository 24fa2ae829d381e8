// The first line is the value of a rule of each kind, the rest the claims of a token.
#include <cameleer/core/claim_rules.hpp>

using namespace cameleer::claims;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto split = std::min(input.find('\n'), input.size());
  const std::string value(input.substr(0, split));
  const auto claims = input.substr(std::min(split + 1, input.size()));
  Policy policy;
  policy.roles = {"VIEWER", "ADMIN", "AGENT"};
  policy.groups = {"Team"};
  policy.roles_claim = "realm_access.roles";
  std::vector<Rule> rules;
  for (const auto* path : {"groups", "a.b.c", "scope"}) {
    for (const auto match : {Match::equals, Match::contains, Match::regex}) {
      Rule rule{.id = path, .claim = path, .match = match, .value = value, .target = "ADMIN"};
      if (check(rule)) rules.push_back(std::move(rule));
    }
  }
  const auto set = RuleSet::compile(std::move(rules));
  if (!set) __builtin_trap();
  const auto outcome = set->evaluate(claims, policy);
  if (!outcome) return 0;
  if (outcome->trace.size() != set->rules().size()) __builtin_trap();
  for (const auto& role : outcome->roles) {
    if (role.name == "AGENT" || !policy.roles.contains(role.name)) __builtin_trap();
  }
  return 0;
}
