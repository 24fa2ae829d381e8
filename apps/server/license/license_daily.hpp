#pragma once
#include <cameleer/core/instant.hpp>
#include <string>
#include <string_view>

namespace cameleer::server {

/// The next 03:00 of that zone after `now`, once a day whatever the clocks do: on a day that has no 03:00 the instant
/// at which it was skipped, on one that has two the first. `zone`: a name of the IANA database (`Europe/Berlin`);
/// UTC when it has none of that name.
Instant next_daily(Instant now, std::string_view zone);

/// The zone of this machine: TZ, or /etc/localtime; UTC when neither says one of the IANA database.
std::string local_zone();

}  // namespace cameleer::server
