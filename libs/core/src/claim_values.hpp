#pragma once
#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cameleer::claims {

/// What a claim holds, as texts to compare.
struct Values {
  bool comparable = true;
  bool is_array = false;
  std::vector<std::string> elements;
};

/// The value at a path: the whole name first, then as few names as possible, each as long as possible, so that
/// `https://acme.example/roles` and `realm_access.roles` both find what they mean. Nothing: it is absent or null.
std::optional<simdjson::dom::element> find_claim(simdjson::dom::element claims, std::string_view path);

Values values_of(simdjson::dom::element claim);

/// Elements of a text separated by spaces.
std::vector<std::string> split_at_spaces(std::string_view text);

/// Whether the provider says that it left this claim out: `_claim_names` (OpenID Connect Core, 5.6.2) names it, or
/// Entra ID's `hasgroups` stands for `groups`.
bool left_out(simdjson::dom::element claims, std::string_view path);

}  // namespace cameleer::claims
