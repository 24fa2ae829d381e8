#include "license-minter/delivery.hpp"

#include <cameleer/core/json_writer.hpp>
#include <cameleer/core/license_validation.hpp>

#include "license-minter/file_access.hpp"
#include "license-minter/report.hpp"

namespace cameleer::license_minter {
namespace {

std::unexpected<Failure> mismatch(const SigningOptions& options, std::string message) {
  if (options.output) remove_file(*options.output);
  return fail_with(ExitCode::mismatch, std::move(message));
}

Outcome<void> not_signed(const Error& error, const SigningOptions& options) {
  if (error.code == ErrorCode::license_rejected) return mismatch(options, error.message);
  if (error.code == ErrorCode::invalid_member) return fail_with(ExitCode::usage, error.message);
  return fail_with(ExitCode::key, "--sign-command: " + error.message);
}

/// Why the token, or what the file holds, does not verify.
std::optional<std::string> refused(const std::string& token, const SigningOptions& options, const LicenseKey& key,
                                   const Verify& verify) {
  const auto ring = LicenseKeyRing::of({key}, LicenseTrust::environment);
  if (!ring) return ring.error().message;
  if (!options.output) return verify(token, *ring);
  const auto text = read_text_file(*options.output, longest_revocation_list);
  return text ? verify(*text, *ring) : fmt::format("The file {}.", text.error().message);
}

std::string json_of(const std::string& token, const Product& product, const SigningOptions& options) {
  JsonWriter json;
  json.begin_object().key("format").text(product.format).key(product.name).raw(product.payload);
  if (options.output) json.key("output").text(printable(*options.output));
  if (!options.output) json.key("token").text(token);
  return json.key("verified").boolean(options.verify).end_object().take() + '\n';
}

}  // namespace

Outcome<void> deliver(const Expected<std::string>& token, const Product& product, const SigningOptions& options,
                      const Signing& signing, const Verify& verify, const Surroundings& surroundings) {
  if (!token) return not_signed(token.error(), options);
  if (options.output) {
    constexpr unsigned kPrivate = 0600;
    const auto written = write_file(*options.output, *token, kPrivate, Overwrite::yes);
    if (!written) return fail_with(ExitCode::output, fmt::format("--output: the file {}.", written.error().message));
  }
  if (options.verify) {
    if (const auto why = refused(*token, options, *signing.public_key, verify)) {
      return mismatch(options, fmt::format("--verify: {}", *why));
    }
  }
  if (options.output) {
    surroundings.say(fmt::format("{} is in {}{}.", product.sentence, printable(*options.output),
                                 options.verify ? ", verified" : ""));
  }
  if (options.output && !options.json) return {};
  const auto printed = surroundings.print(options.json ? json_of(*token, product, options) : *token + '\n');
  if (!printed) return fail_with(ExitCode::output, fmt::format("The output {}.", printed.error().message));
  return {};
}

}  // namespace cameleer::license_minter
