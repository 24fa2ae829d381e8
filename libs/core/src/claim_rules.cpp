#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cameleer/core/claim_rules.hpp>

#include "claim_values.hpp"

namespace cameleer::claims {
namespace {

using Element = simdjson::dom::element;

constexpr std::array<std::string_view, 3> kMatches{"equals", "contains", "regex"};
constexpr std::array<std::string_view, 2> kActions{"assignRole", "addToGroup"};
constexpr std::array<std::string_view, 6> kVerdicts{"matched", "claim_absent", "not_comparable",
                                                    "differs", "left_out",     "unknown_target"};
constexpr std::array<std::string_view, 4> kSources{"rule", "scope", "roles_claim", "default"};
constexpr std::string_view kMachineRole = "AGENT";
constexpr std::size_t kMostShown = 50, kLongestShown = 256, kMostClaimBytes = 256 * 1024, kDeepest = 64;

template <class Value, std::size_t size>
std::optional<Value> find(const std::array<std::string_view, size>& names, std::string_view name) {
  const auto* found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Value>(found - names.begin());
}

std::unique_ptr<re2::RE2> pattern_of(const std::string& text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  return std::make_unique<re2::RE2>(text, options);
}

std::unexpected<Error> wrong(std::string_view member, std::string_view rule) {
  return fail(ErrorCode::invalid_member, fmt::format("Member /{} {}.", member, rule), fmt::format("/{}", member));
}

Expected<void> check_text(std::string_view member, std::string_view text, std::size_t longest) {
  if (text.empty()) return wrong(member, "must not be empty");
  if (text.size() > longest) return wrong(member, fmt::format("must have at most {} bytes", longest));
  if (text.find('\0') != std::string_view::npos) return wrong(member, "must not contain a NUL character");
  return {};
}

std::string in_quotes(std::string_view text) {
  return fmt::format("'{}'", text.substr(0, kLongestShown));
}

std::string listed(const std::vector<std::string>& texts) {
  constexpr std::size_t kInSentence = 5;
  std::string list;
  for (std::size_t i = 0; i < std::min(texts.size(), kInSentence); ++i) {
    if (i > 0) list += ", ";
    list += in_quotes(texts[i]);
  }
  if (texts.size() > kInSentence) list += fmt::format(" and {} more", texts.size() - kInSentence);
  return list.empty() ? "nothing" : list;
}

bool add(std::vector<Assigned>& to, Assigned assigned) {
  if (std::ranges::any_of(to, [&](const Assigned& one) { return one.name == assigned.name; })) return false;
  to.push_back(std::move(assigned));
  return true;
}

bool exists(const std::set<std::string, std::less<>>& names, std::string_view name) {
  return name != kMachineRole && names.contains(name);
}

std::string text_of_claim(Element claims, std::string_view path) {
  const auto found = find_claim(claims, path);
  if (!found) return {};
  const auto values = values_of(*found);
  if (!values.comparable) return {};
  std::string text;
  for (const auto& element : values.elements) text += element + ' ';
  return text;
}

}  // namespace

std::string_view name_of(Match match) {
  return kMatches[static_cast<std::size_t>(match)];
}
std::optional<Match> match_of(std::string_view name) {
  return find<Match>(kMatches, name);
}
std::string_view name_of(Action action) {
  return kActions[static_cast<std::size_t>(action)];
}
std::optional<Action> action_of(std::string_view name) {
  return find<Action>(kActions, name);
}
std::string_view name_of(Verdict verdict) {
  return kVerdicts[static_cast<std::size_t>(verdict)];
}
std::string_view name_of(Source source) {
  return kSources[static_cast<std::size_t>(source)];
}

Expected<void> check(const Rule& rule) {
  if (auto checked = check_text("claim", rule.claim, longest_claim); !checked) return checked;
  if (auto checked = check_text("value", rule.value, longest_value); !checked) return checked;
  if (auto checked = check_text("target", rule.target, longest_target); !checked) return checked;
  if (rule.action == Action::assign_role && rule.target == kMachineRole) {
    return wrong("target", "must not be AGENT: that role is for machines");
  }
  if (rule.match != Match::regex) return {};
  if (const auto pattern = pattern_of(rule.value); !pattern->ok()) {
    return wrong("value", fmt::format("must be a regular expression (RE2): {}", pattern->error()));
  }
  return {};
}

struct RuleSet::Compiled {
  std::vector<Rule> rules;
  std::vector<std::unique_ptr<re2::RE2>> patterns;  ///< beside the rules; null when a rule has none
};

namespace {

struct Comparison {
  bool matched = false;
  std::string explanation;
};

Comparison compare(const Rule& rule, const re2::RE2* pattern, const Values& values) {
  const auto list = values.is_array                                          ? values.elements
                    : rule.match == Match::equals || values.elements.empty() ? values.elements
                                                                             : split_at_spaces(values.elements.front());
  switch (rule.match) {
    case Match::equals:
      if (values.elements.size() == 1 && values.elements.front() == rule.value) {
        return {true, fmt::format("{} is {}.", rule.claim, in_quotes(rule.value))};
      }
      return {false,
              fmt::format("{} is {}, not exactly {}.", rule.claim, listed(values.elements), in_quotes(rule.value))};
    case Match::contains:
      if (std::ranges::find(list, rule.value) != list.end()) {
        return {true, fmt::format("{} contains {}.", rule.claim, in_quotes(rule.value))};
      }
      return {false, fmt::format("{} has {} and not {}.", rule.claim, listed(list), in_quotes(rule.value))};
    case Match::regex:
      break;
  }
  const auto fits = [&](const std::string& text) { return re2::RE2::FullMatch(text, *pattern); };
  auto found = std::ranges::find_if(list, fits);
  // A text with spaces may also be meant as one.
  if (found == list.end() && values.elements.size() == 1 && fits(values.elements.front())) {
    return {true, fmt::format("{} matches {}.", in_quotes(values.elements.front()), in_quotes(rule.value))};
  }
  if (found != list.end()) return {true, fmt::format("{} matches {}.", in_quotes(*found), in_quotes(rule.value))};
  return {false, fmt::format("None of {} matches {} as a whole.", listed(list), in_quotes(rule.value))};
}

Trace trace_of(const Rule& rule, const re2::RE2* pattern, Element claims, const Policy& policy) {
  Trace trace{.rule = rule, .read = {}, .explanation = {}};
  const auto found = find_claim(claims, rule.claim);
  if (!found) {
    trace.verdict = left_out(claims, rule.claim) ? Verdict::left_out : Verdict::claim_absent;
    trace.explanation =
        trace.verdict == Verdict::left_out
            ? fmt::format("The provider left {} out because it is too long for a token (overage).", rule.claim)
            : fmt::format("The token has no claim {}.", in_quotes(rule.claim));
    return trace;
  }
  const auto values = values_of(*found);
  if (!values.comparable) {
    trace.verdict = Verdict::not_comparable;
    trace.explanation =
        fmt::format("{} is an object or holds one; a rule compares texts, numbers and booleans.", rule.claim);
    return trace;
  }
  for (const auto& element : values.elements) {
    if (trace.read.size() == kMostShown) break;
    trace.read.push_back(element.substr(0, kLongestShown));
  }
  auto [matched, explanation] = compare(rule, pattern, values);
  trace.verdict = matched ? Verdict::matched : Verdict::differs;
  trace.explanation = std::move(explanation);
  const bool is_role = rule.action == Action::assign_role;
  if (matched && !exists(is_role ? policy.roles : policy.groups, rule.target)) {
    trace.verdict = Verdict::unknown_target;
    trace.explanation += fmt::format(" There is no {} {}.", is_role ? "role" : "group", in_quotes(rule.target));
  }
  return trace;
}

void note_left_out(Outcome& outcome, std::string_view claim) {
  if (!outcome.overage) outcome.left_out = claim;
  outcome.overage = true;
}

void assign_from_claims(Element claims, const Policy& policy, Outcome& outcome) {
  for (const auto* name : {"scope", "scp"}) {
    if (const auto role = role_of_scopes(text_of_claim(claims, name)); role && exists(policy.roles, *role)) {
      add(outcome.roles, {std::string(*role), Source::scope, {}});
    }
  }
  if (policy.roles_claim.empty() || policy.roles_claim == "scope" || policy.roles_claim == "scp") return;
  const auto text = text_of_claim(claims, policy.roles_claim);
  if (const auto role = role_of_scopes(text); role && exists(policy.roles, *role)) {
    add(outcome.roles, {std::string(*role), Source::roles_claim, {}});
  }
  const auto found = find_claim(claims, policy.roles_claim);
  if (!found) {
    if (left_out(claims, policy.roles_claim)) note_left_out(outcome, policy.roles_claim);
    return;
  }
  const auto values = values_of(*found);
  if (!values.comparable) return;
  for (const auto& element : values.elements) {
    const auto names = values.is_array ? std::vector{element} : split_at_spaces(element);
    for (const auto& name : names) {
      if (exists(policy.roles, name)) add(outcome.roles, {name, Source::roles_claim, {}});
    }
  }
}

}  // namespace

Expected<RuleSet> RuleSet::compile(std::vector<Rule> rules) {
  if (rules.size() > most_rules) {
    return fail(ErrorCode::bad_configuration, fmt::format("There may be {} claim rules at most.", most_rules));
  }
  std::ranges::sort(rules, [](const Rule& left, const Rule& right) {
    return std::pair(left.priority, std::string_view(left.id)) < std::pair(right.priority, std::string_view(right.id));
  });
  auto compiled = std::make_shared<Compiled>();
  for (auto& rule : rules) {
    if (auto checked = check(rule); !checked) {
      return fail(ErrorCode::bad_configuration, fmt::format("Claim rule {}: {}", rule.id, checked.error().message));
    }
    compiled->patterns.push_back(rule.match == Match::regex ? pattern_of(rule.value) : nullptr);
    compiled->rules.push_back(std::move(rule));
  }
  RuleSet set;
  set.compiled_ = std::move(compiled);
  return set;
}

std::span<const Rule> RuleSet::rules() const {
  return compiled_ ? std::span<const Rule>(compiled_->rules) : std::span<const Rule>();
}

Expected<Outcome> RuleSet::evaluate(std::string_view claims, const Policy& policy) const {
  if (claims.size() > kMostClaimBytes) {
    return fail(ErrorCode::malformed_body, fmt::format("Claims may have {} bytes at most.", kMostClaimBytes));
  }
  simdjson::dom::parser parser;
  const simdjson::padded_string text(claims);
  Element root;
  if (parser.allocate(std::max<std::size_t>(text.size(), kDeepest), kDeepest) != simdjson::SUCCESS ||
      parser.parse(text).get(root) != simdjson::SUCCESS || !root.is_object()) {
    return fail(ErrorCode::malformed_body, "Claims must be a JSON object.");
  }
  Outcome outcome;
  const auto all = rules();
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto trace = trace_of(all[i], compiled_->patterns[i].get(), root, policy);
    if (trace.verdict == Verdict::left_out) note_left_out(outcome, trace.rule.claim);
    if (trace.verdict == Verdict::matched) {
      auto& to = trace.rule.action == Action::assign_role ? outcome.roles : outcome.groups;
      add(to, {trace.rule.target, Source::rule, trace.rule.id});
    }
    outcome.trace.push_back(std::move(trace));
  }
  assign_from_claims(root, policy, outcome);
  if (!outcome.roles.empty() || !outcome.groups.empty()) return outcome;
  outcome.refused = policy.strict;
  outcome.fallback = !policy.strict;
  if (policy.strict) return outcome;
  for (const auto& role : policy.default_roles) {
    if (exists(policy.roles, role)) add(outcome.roles, {role, Source::fallback, {}});
  }
  return outcome;
}

std::optional<std::string_view> role_of_scopes(std::string_view scopes) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kRanked{
      std::pair{std::string_view("server:admin"), std::string_view("ADMIN")},
      std::pair{std::string_view("server:operator"), std::string_view("OPERATOR")},
      std::pair{std::string_view("server:viewer"), std::string_view("VIEWER")}};
  auto held = split_at_spaces(scopes);
  for (auto& scope : held) {
    for (auto& c : scope) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  for (const auto& [scope, role] : kRanked) {
    if (std::ranges::find(held, scope) != held.end()) return role;
  }
  return std::nullopt;
}

}  // namespace cameleer::claims
