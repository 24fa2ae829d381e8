#include "server/license/license_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace cameleer::server {
namespace {

namespace json = boost::json;

json::array json_of(const std::vector<LicensePreview::Shift>& shifts) {
  json::array items;
  for (const auto& shift : shifts) {
    json::object item;
    item["limit"] = name_of(shift.limit);
    item["from"] = shift.from;
    item["to"] = shift.to;
    items.push_back(std::move(item));
  }
  return items;
}

json::object json_of(const EffectiveLimits& limits) {
  json::object object;
  for (const auto limit : license_limits()) object[name_of(limit)] = limits[limit];
  return object;
}

void put_state(json::object& body, const LicenseStanding& standing) {
  body["state"] = name_of(standing.state);
  if (!standing.rejection) return;
  body["invalidReason"] = name_of(standing.rejection->reason);
  body["message"] = standing.rejection->message;
}

}  // namespace

json::object json_of(const LicenseInfo& license) {
  json::object object;
  object["licenseId"] = license.license_id;
  object["tenantId"] = license.tenant_id;
  object["label"] = license.label;
  if (license.tier) object["tier"] = *license.tier;
  if (license.key_id) object["keyId"] = *license.key_id;
  object["issuedAt"] = format_instant(license.issued_at);
  object["expiresAt"] = format_instant(license.expires_at);
  object["gracePeriodDays"] = license.grace_period_days;
  json::object limits;
  for (const auto limit : license_limits()) {
    if (const auto value = license.limits[limit]) limits[name_of(limit)] = *value;
  }
  object["limits"] = std::move(limits);
  json::array features;
  for (const auto& feature : license.features) features.emplace_back(feature);
  object["features"] = std::move(features);
  return object;
}

json::object json_of(const LicenseView& view, LicenseTrust trust) {
  json::object body;
  put_state(body, *view.standing);
  body["source"] = name_of(view.source);
  body["trust"] = name_of(trust);
  if (view.standing->license) body["license"] = json_of(*view.standing->license);
  body["effectiveLimits"] = json_of(view.standing->limits);
  body["daysRemaining"] = view.days_remaining;
  if (view.validated_at) body["lastValidatedAt"] = format_instant(*view.validated_at);
  if (view.standing->changes_at) body["changesAt"] = format_instant(*view.standing->changes_at);
  if (view.previous_license_id) body["previousLicenseId"] = *view.previous_license_id;
  if (view.revocations_sequence > 0) body["revocationsSequence"] = view.revocations_sequence;
  json::array warnings;
  if (view.clock_skewed) warnings.emplace_back("CLOCK_SKEW");
  body["warnings"] = std::move(warnings);
  return body;
}

json::object json_of(const LicensePreview& preview) {
  json::object body;
  put_state(body, preview.standing);
  if (preview.standing.license) body["license"] = json_of(*preview.standing.license);
  body["effectiveLimits"] = json_of(preview.standing.limits);
  body["rises"] = json_of(preview.rises);
  body["falls"] = json_of(preview.falls);
  json::array exceeded;
  for (const auto& excess : preview.exceeded) {
    json::object item;
    item["limit"] = name_of(excess.limit);
    item["current"] = excess.current;
    item["cap"] = excess.cap;
    exceeded.push_back(std::move(item));
  }
  body["exceeded"] = std::move(exceeded);
  body["shorterRetention"] = json_of(preview.shorter_retention);
  if (preview.shadowed_by != LicenseSource::none) body["shadowedBy"] = name_of(preview.shadowed_by);
  return body;
}

json::object json_of(const LicenseKeyRing& keys) {
  json::object body;
  body["trust"] = name_of(keys.trust());
  json::array items;
  for (const auto& key : keys.keys()) {
    json::object item;
    if (key.key_id) item["keyId"] = *key.key_id;
    item["publicKey"] = to_spki(key);
    if (key.valid_from) item["validFrom"] = format_instant(*key.valid_from);
    if (key.valid_until) item["validUntil"] = format_instant(*key.valid_until);
    items.push_back(std::move(item));
  }
  body["items"] = std::move(items);
  return body;
}

json::object json_of_usage(const LicenseStanding& standing, const LicenseCounts& counts, Instant now) {
  json::object body;
  body["state"] = name_of(standing.state);
  json::array items;
  for (const auto limit : license_limits()) {
    const auto current = counts[static_cast<std::size_t>(limit)];
    json::object item;
    item["limit"] = name_of(limit);
    item["current"] = current;
    item["cap"] = standing.limits[limit];
    item["source"] = standing.limits.is_licensed(limit) ? "license" : "default";
    item["state"] = name_of(standing.state);
    item["message"] = cap_message(standing, limit, current, now);
    items.push_back(std::move(item));
  }
  body["items"] = std::move(items);
  return body;
}

web::Response problem_with(const Error& error, std::string_view request_id, json::object members) {
  auto response = web::problem(error, request_id);
  auto document = json::parse(response.body).as_object();
  for (auto& member : members) document[member.key()] = std::move(member.value());
  response.body = json::serialize(document);
  return response;
}

}  // namespace cameleer::server
