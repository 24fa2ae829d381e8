#include "server/license/license_preview.hpp"

namespace cameleer::server {
namespace {

bool is_retention(LicenseLimit limit) {
  return limit == LicenseLimit::max_execution_retention_days || limit == LicenseLimit::max_log_retention_days ||
         limit == LicenseLimit::max_metric_retention_days;
}

}  // namespace

LicensePreview preview_of(const LicenseStanding& now, LicenseStanding then, const LicenseCounts& counts) {
  LicensePreview preview;
  for (const auto limit : license_limits()) {
    const LicensePreview::Shift shift{.limit = limit, .from = now.limits[limit], .to = then.limits[limit]};
    if (shift.to > shift.from) preview.rises.push_back(shift);
    if (shift.to < shift.from) preview.falls.push_back(shift);
    if (shift.to < shift.from && is_retention(limit)) preview.shorter_retention.push_back(shift);
    const auto current = counts[static_cast<std::size_t>(limit)];
    if (current > shift.to) preview.exceeded.push_back({.limit = limit, .current = current, .cap = shift.to});
  }
  preview.standing = std::move(then);
  return preview;
}

}  // namespace cameleer::server
