#include <cameleer/core/license_state.hpp>
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>

/// license-check KEYS TENANT FILE: says what a licence is worth to a server of that tenant that trusts those public
/// keys (as CAMELEER_SERVER_LICENSE_PUBLICKEYS has them). Ends with 0 for ACTIVE and GRACE, 1 for all else, 2 for wrong
/// usage.
int main(int count, char** arguments) {
  using namespace cameleer;
  if (count != 4) {
    std::cerr << "usage: license-check KEYS TENANT FILE\n";
    return 2;
  }
  const auto keys = read_license_keys(arguments[1], LicenseTrust::environment);
  if (!keys) {
    std::cerr << keys.error().message << '\n';
    return 2;
  }
  std::ifstream file(arguments[3], std::ios::binary);
  const std::string token{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) {
    std::cerr << "license-check: cannot read " << arguments[3] << '\n';
    return 2;
  }

  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto standing = standing_of(validate_license(token, *keys, {}, arguments[2], now), now);
  std::cout << name_of(standing.state) << '\n';
  if (standing.rejection)
    std::cout << name_of(standing.rejection->reason) << ": " << standing.rejection->message << '\n';
  if (standing.license) std::cout << "label: " << standing.license->label << '\n';
  for (const auto limit : license_limits()) {
    std::cout << name_of(limit) << ": " << standing.limits[limit]
              << (standing.limits.is_licensed(limit) ? "" : " (default)") << '\n';
  }
  return standing.state == LicenseState::ACTIVE || standing.state == LicenseState::GRACE ? 0 : 1;
}
