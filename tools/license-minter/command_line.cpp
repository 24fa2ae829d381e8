#include "license-minter/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

namespace cameleer::license_minter {
namespace {

std::unexpected<Failure> refuse(std::string message) {
  return fail_with(ExitCode::usage, std::move(message));
}

/// `--tenant --verify` is a missing value, not a tenant called so.
std::string refuse_flag(const std::string& value) {
  return value.starts_with("--") ? "the value is missing" : "";
}

/// A flag with one value.
CLI::Option* add_value(CLI::App& app, const std::string& flag, std::optional<std::string>& into,
                       const std::string& purpose) {
  const auto take = [&into](const std::string& value) { into = value; };
  return app.add_option_function<std::string>(flag, take, purpose)->check(refuse_flag);
}

CLI::Option* add_values(CLI::App& app, const std::string& flag, std::vector<std::string>& into,
                        const std::string& purpose) {
  return app.add_option(flag, into, purpose)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->check(refuse_flag);
}

void add_signing(CLI::App& app, SigningOptions& options) {
  add_value(app, "--private-key", options.private_key, "Ed25519 key, PKCS#8 as PEM or bare base64; `-` reads stdin");
  add_value(app, "--sign-command", options.sign_command,
            "Signs instead of a key: gets the bytes on stdin, writes the 64 raw bytes of the signature");
  add_value(app, "--public-key", options.public_key, "File with the public half: what was signed must verify with it");
  add_value(app, "--output", options.output, "File for the token, mode 0600; stdout if left out or `-`");
  app.add_flag("--verify", options.verify, "Read the result back and validate it as a server would");
  app.add_flag("--json", options.json, "Say what was made as JSON on stdout");
}

void add_mint(CLI::App& app, CommandLine& line, std::optional<std::string>& format) {
  auto& license = line.license;
  add_value(app, "--tenant", license.tenant, "Tenant id of the customer's server");
  add_value(app, "--label", license.label, "For people; the tenant if left out");
  add_value(app, "--expires", license.expires, "2027-04-26 is that day's last second in UTC; an instant is itself");
  add_value(app, "--grace-days", license.grace_days, "Days after it in which the caps still hold; 0 if left out");
  add_value(app, "--tier", license.tier, "Caps of a plan: starter, team, business or enterprise");
  for (const auto limit : license_limits()) {
    add_value(app, flag_of(limit), license.limits[static_cast<std::size_t>(limit)], "Cap; overrides the tier's");
  }
  add_values(app, "--feature", license.features, "A feature that is licensed; may be repeated");
  add_value(app, "--key-id", license.key_id, "Name of the key, as servers know it");
  add_value(app, "--format", format, "token (two parts, the default) or jwt");
  add_signing(app, line.signing);
}

void add_revoke(CLI::App& app, CommandLine& line) {
  auto& options = line.revocations;
  add_values(app, "--license-id", options.license_ids, "A licence that no longer counts; may be repeated");
  add_value(app, "--sequence", options.sequence, "Number of the list: a server takes only a higher one than it has");
  add_value(app, "--previous", options.previous, "File with the list before: its licences stay revoked");
  add_signing(app, line.signing);
}

void add_keygen(CLI::App& app, KeygenOptions& options) {
  add_value(app, "--private-key", options.private_key, "File for the private key, mode 0600");
  add_value(app, "--public-key", options.public_key, "File for the public key; stdout shows it as well");
  app.add_flag("--force", options.force, "Overwrite files that exist");
  app.add_flag("--json", options.json, "Say what was made as JSON on stdout");
}

void add_inspect(CLI::App& app, InspectOptions& options) {
  app.add_option("token", options.token, "A token, a file that holds one, or `-` for stdin")->required();
  add_value(app, "--public-key", options.public_key, "File with one key or a list: verify with it");
  add_value(app, "--tenant", options.tenant, "Tenant id it must be for; its own if left out");
  add_value(app, "--revocations", options.revocations, "File with a signed revocation list");
  app.add_flag("--json", options.json, "The same as JSON");
}

/// CLI11 would take the next word for the value of `--label=`, and would repeat in its messages what it cannot place,
/// which may be a key typed after a wrong flag.
Outcome<void> refuse_empty(const std::vector<std::string>& arguments) {
  for (const auto& one : arguments) {
    if (one.starts_with("--") && one.size() > 3 && one.find('=') == one.size() - 1) {
      return refuse(fmt::format("{}: the value is missing.", one.substr(0, one.size() - 1)));
    }
    if (one.empty()) return refuse("An argument is empty.");
  }
  return {};
}

Outcome<void> refuse_rest(const CLI::App& app) {
  const auto rest = app.remaining(true);
  if (rest.empty()) return {};
  if (!rest.front().starts_with('-')) return refuse("There is a word that belongs to no flag.");
  return refuse(fmt::format("{} is no flag of this program.", rest.front().substr(0, rest.front().find('='))));
}

/// Flags of minting before a subcommand would be lost without a word.
Outcome<void> refuse_before_subcommand(const CLI::App& app) {
  for (const auto* option : app.get_options()) {
    if (option->count() > 0) {
      return refuse(fmt::format("{} must stand after the subcommand, if it has such a flag.", option->get_name()));
    }
  }
  return {};
}

Outcome<void> take_format(const std::optional<std::string>& text, minting::TokenFormat& into) {
  if (!text || *text == "token") return {};
  if (*text != "jwt") return refuse("--format must be token or jwt.");
  into = minting::TokenFormat::jwt;
  return {};
}

Outcome<void> settle(CommandLine& line, const std::optional<std::string>& format) {
  if (line.signing.output == "-") line.signing.output.reset();
  if (auto taken = take_format(format, line.format); !taken) return taken;
  if (line.mode == Mode::mint || line.mode == Mode::revoke) return check(line.signing);
  if (line.mode == Mode::keygen && !line.keygen.private_key) return refuse("--private-key is missing.");
  const auto& inspection = line.inspection;
  if (line.mode == Mode::inspect && inspection.revocations && !inspection.public_key) {
    return refuse("--revocations needs --public-key.");
  }
  return {};
}

}  // namespace

Outcome<CommandLine> parse_command_line(std::vector<std::string> arguments) {
  if (auto ok = refuse_empty(arguments); !ok) return std::unexpected(ok.error());
  CLI::App app{"Mints licences of Cameleer. Without a subcommand it mints one.", "cameleer-license-minter"};
  CommandLine line;
  std::optional<std::string> format;
  add_mint(app, line, format);
  const std::pair<CLI::App*, Mode> modes[] = {
      {app.add_subcommand("keygen", "Make a key pair"), Mode::keygen},
      {app.add_subcommand("inspect", "Show what a token holds, and verify it"), Mode::inspect},
      {app.add_subcommand("revoke", "Sign a list of revoked licences"), Mode::revoke}};
  add_keygen(*modes[0].first, line.keygen);
  add_inspect(*modes[1].first, line.inspection);
  add_revoke(*modes[2].first, line);
  app.require_subcommand(0, 1);
  app.allow_extras();
  for (const auto& [subcommand, mode] : modes) subcommand->allow_extras();
  std::ranges::reverse(arguments);
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    std::ostringstream help, complaint;
    if (app.exit(error, help, complaint) != 0) return refuse(std::string(error.what()) + ".");
    line.mode = Mode::print;
    line.text = help.str();
    return line;
  }
  if (auto ok = refuse_rest(app); !ok) return std::unexpected(ok.error());
  for (const auto& [subcommand, mode] : modes) {
    if (subcommand->parsed()) line.mode = mode;
  }
  if (line.mode != Mode::mint) {
    if (auto ok = refuse_before_subcommand(app); !ok) return std::unexpected(ok.error());
  }
  if (auto ok = settle(line, format); !ok) return std::unexpected(ok.error());
  return line;
}

}  // namespace cameleer::license_minter
