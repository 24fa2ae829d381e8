#include "license_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cameleer::license_json {
namespace {

namespace dom = simdjson::dom;
using enum LicenseReason;

constexpr std::string_view kInstantRule =
    "must be an ISO-8601 instant in UTC, such as 2027-04-26T23:59:59Z, or whole seconds since 1970";

std::string whole_rule(std::int64_t most) {
  return fmt::format("must be a whole number from 0 to {}", most);
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// Reads members one by one; the first that is missing or wrong stays as the rejection, and what follows reads nothing.
class Members {
 public:
  explicit Members(dom::object object) : object_(object) {}

  std::optional<LicenseRejection> rejection;

  void refuse(LicenseReason reason, std::string_view member, std::string_view rule) {
    if (!rejection) {
      rejection = LicenseRejection{.reason = reason, .message = fmt::format("Member /{} {}.", member, rule)};
    }
  }

  std::optional<dom::element> find(std::string_view name) const {
    dom::element value;
    if (object_.at_key(name).get(value) != simdjson::SUCCESS) return std::nullopt;
    return value;
  }
  std::optional<dom::element> required(std::string_view name) {
    if (rejection) return std::nullopt;
    auto value = find(name);
    if (!value) refuse(MISSING_MEMBER, name, "is missing");
    return value;
  }

  std::string text(std::string_view name) {
    const auto value = required(name);
    return value ? text_of(name, *value) : std::string();
  }
  std::optional<std::string> optional_text(std::string_view name) {
    const auto value = find(name);
    if (rejection || !value) return std::nullopt;
    return text_of(name, *value);
  }
  std::string lower_text(std::string_view name) {
    auto read = text(name);
    std::ranges::transform(read, read.begin(), lower);
    return read;
  }
  Instant instant(std::string_view name) {
    const auto value = required(name);
    if (!value) return {};
    const auto read = read_instant(*value);
    if (!read) refuse(BAD_VALUE, name, kInstantRule);
    return read.value_or(Instant{});
  }
  std::int64_t whole(std::string_view name, std::int64_t most) {
    const auto value = required(name);
    return value ? whole_of(name, *value, most) : 0;
  }
  std::int64_t whole_of(std::string_view name, dom::element value, std::int64_t most) {
    std::int64_t number = 0;
    if (!value.is_int64() || value.get(number) != simdjson::SUCCESS || number < 0 || number > most) {
      refuse(BAD_VALUE, name, whole_rule(most));
      return 0;
    }
    return number;
  }
  std::vector<std::string> texts(std::string_view name, dom::element value) {
    std::vector<std::string> read;
    dom::array array;
    if (value.get(array) != simdjson::SUCCESS) {
      refuse(BAD_VALUE, name, "must be an array of strings");
      return read;
    }
    for (const auto element : array) {
      std::string_view one;
      if (element.get(one) != simdjson::SUCCESS) {
        refuse(BAD_VALUE, name, "must be an array of strings");
        break;
      }
      read.emplace_back(one);
    }
    return read;
  }

 private:
  std::string text_of(std::string_view name, dom::element value) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) refuse(BAD_VALUE, name, "must be a string");
    return std::string(text);
  }

  dom::object object_;
};

/// A name as a sentence may hold it.
std::string shown(std::string_view name) {
  constexpr std::size_t longest = 64;
  const bool plain = std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7f; });
  return plain && !name.empty() && name.size() <= longest ? std::string(name) : fmt::format("of {} bytes", name.size());
}

LicenseLimits read_limits(Members& members) {
  LicenseLimits limits;
  const auto value = members.required("limits");
  if (!value) return limits;
  dom::object object;
  if (value->get(object) != simdjson::SUCCESS) {
    members.refuse(BAD_VALUE, "limits", "must be an object");
    return limits;
  }
  for (const auto field : object) {
    const auto limit = license_limit_named(field.key);
    if (!limit) {
      members.rejection =
          LicenseRejection{.reason = UNKNOWN_LIMIT, .message = fmt::format("There is no limit {}.", shown(field.key))};
      return limits;
    }
    limits.set(*limit, members.whole_of(fmt::format("limits/{}", field.key), field.value, largest_license_limit));
    if (members.rejection) return limits;
  }
  return limits;
}

}  // namespace

LicenseVerdict<LicenseInfo> read_license(std::string_view json) {
  dom::parser parser;
  const auto object = parse(parser, json);
  if (!object) return std::unexpected(object.error());
  Members members(*object);
  if (members.find("kind")) members.refuse(BAD_VALUE, "kind", "must not be there: this is no licence");
  LicenseInfo license;
  license.license_id = members.lower_text("licenseId");
  license.tenant_id = members.text("tenantId");
  license.label = members.text("label");
  license.limits = read_limits(members);
  license.issued_at = members.instant("issuedAt");
  license.expires_at = members.instant("expiresAt");
  license.grace_period_days = members.whole("gracePeriodDays", longest_grace_days);
  license.tier = members.optional_text("tier");
  license.key_id = members.optional_text("keyId");
  if (const auto features = members.find("features")) license.features = members.texts("features", *features);
  if (members.rejection) return std::unexpected(std::move(*members.rejection));
  if (const auto checked = check_license(license); !checked) return reject(BAD_VALUE, checked.error().message);
  return license;
}

LicenseVerdict<LicenseRevocations> read_revocations(std::string_view json) {
  dom::parser parser;
  const auto object = parse(parser, json);
  if (!object) return std::unexpected(object.error());
  Members members(*object);
  if (members.text("kind") != "revocations") members.refuse(BAD_VALUE, "kind", "must be \"revocations\"");
  LicenseRevocations revocations;
  revocations.sequence = members.whole("sequence", largest_license_limit);
  revocations.issued_at = members.instant("issuedAt");
  if (const auto ids = members.required("licenseIds")) revocations.license_ids = members.texts("licenseIds", *ids);
  auto& ids = revocations.license_ids;
  if (!std::ranges::all_of(ids, is_license_id)) members.refuse(BAD_VALUE, "licenseIds", "must hold UUIDs alone");
  if (members.rejection) return std::unexpected(std::move(*members.rejection));
  for (auto& id : ids) std::ranges::transform(id, id.begin(), lower);
  std::ranges::sort(ids);
  const auto repeated = std::ranges::unique(ids);
  ids.erase(repeated.begin(), repeated.end());
  return revocations;
}

}  // namespace cameleer::license_json
