#include <cameleer/core/json_writer.hpp>
#include <cameleer/minting/key_generation.hpp>

#include "license-minter/commands.hpp"
#include "license-minter/file_access.hpp"
#include "license-minter/report.hpp"

namespace cameleer::license_minter {
namespace {

std::unexpected<Failure> not_written(std::string_view flag, const Error& error) {
  return fail_with(ExitCode::output, fmt::format("{}: the file {}.", flag, error.message));
}

std::string report_of(const KeygenOptions& options, const std::string& public_key) {
  if (!options.json) return public_key + '\n';
  JsonWriter json;
  json.begin_object().key("privateKeyFile").text(printable(*options.private_key)).key("publicKey").text(public_key);
  if (options.public_key) json.key("publicKeyFile").text(printable(*options.public_key));
  return json.end_object().take() + '\n';
}

}  // namespace

Outcome<void> generate_key(const KeygenOptions& options, const Surroundings& surroundings) {
  constexpr unsigned kOwner = 0600, kEverybody = 0644;
  const auto overwrite = options.force ? Overwrite::yes : Overwrite::no;
  const auto key = minting::generate_key();
  const auto public_key = to_spki(key.public_key);
  // The public half first: without the private one it does no harm.
  if (options.public_key) {
    const auto written = write_file(*options.public_key, public_key + '\n', kEverybody, overwrite);
    if (!written) return not_written("--public-key", written.error());
  }
  const auto written = write_file(*options.private_key, key.private_pem.text(), kOwner, overwrite);
  if (!written) {
    if (options.public_key) remove_file(*options.public_key);
    return not_written("--private-key", written.error());
  }
  surroundings.say(fmt::format("The private key is in {}.", printable(*options.private_key)));
  if (const auto printed = surroundings.print(report_of(options, public_key)); !printed) {
    return fail_with(ExitCode::output, fmt::format("The output {}.", printed.error().message));
  }
  return {};
}

}  // namespace cameleer::license_minter
