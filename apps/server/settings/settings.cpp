#include "server/settings/settings.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cctype>

namespace cameleer::server {
namespace {

using Values = std::map<std::string, std::string, std::less<>>;
constexpr std::string_view kPrefix = "cameleer.server.";

const SettingRow* row_named(std::string_view name) {
  const auto table = setting_table();
  const auto found = std::find_if(table.begin(), table.end(), [&](const SettingRow& row) {
    return row.name == name || (!row.alias.empty() && row.alias == name);
  });
  return found == table.end() ? nullptr : &*found;
}

std::unexpected<Error> wrong_setting(std::string_view name, std::string message) {
  return fail(ErrorCode::bad_configuration, std::move(message), std::string(name));
}

std::string quoted_list(const toml::array& array) {
  std::string text;
  for (const auto& item : array) {
    if (!text.empty()) text += ',';
    text += item.value<std::string>().value_or("");
  }
  return text;
}

std::optional<std::string> as_text(const toml::node& node) {
  if (auto text = node.value_exact<std::string>()) return *text;
  if (auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
  if (const auto* array = node.as_array(); array && array->is_homogeneous<std::string>()) return quoted_list(*array);
  if (const auto* array = node.as_array(); array && array->empty()) return "";
  return std::nullopt;
}

Expected<void> collect(const toml::table& table, const std::string& prefix, Values& values) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix.empty() ? std::string(key.str()) : prefix + "." + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      if (auto collected = collect(*inner, name, values); !collected) return collected;
      continue;
    }
    const auto* row = row_named(name);
    const auto line = node.source().begin.line;
    if (!row) return wrong_setting(name, fmt::format("line {}: there is no setting of this name", line));
    auto text = as_text(node);
    if (!text)
      return wrong_setting(
          name, fmt::format("line {}: the value must be text, a number, true, false or a list of texts", line));
    values[std::string(row->name)] = std::move(*text);
  }
  return {};
}

/// The settings that go together.
Expected<void> check_together(const Settings& settings) {
  if (settings.http.tls_certificate_file.empty() != settings.http.tls_key_file.empty()) {
    return wrong_setting("cameleer.server.http.tls.cert", "certificate and key must both be set or both be empty");
  }
  if (settings.oidc.issuer_uri && !settings.oidc.audience) {
    return wrong_setting(
        "cameleer.server.oidc.audience",
        "must be set when cameleer.server.oidc.issuer-uri is: the issuer's tokens for others would count");
  }
  if (!settings.local_login && !settings.oidc.issuer_uri) {
    return wrong_setting("cameleer.server.auth.local.enabled",
                         "false needs cameleer.server.oidc.issuer-uri among the settings: nobody could sign in");
  }
  if (!settings.local_login && settings.security.recover_admin) {
    return wrong_setting("cameleer.server.security.recover-admin",
                         "needs cameleer.server.auth.local.enabled: nobody could sign in with the password");
  }
  if (!settings.stores.postgres_url.empty() && settings.security.master_key.empty()) {
    return wrong_setting(
        "cameleer.server.security.masterkey",
        "must be set when cameleer.server.postgres.url is: processes that share a database share a key");
  }
  return {};
}

}  // namespace

std::string environment_variable_of(std::string_view name) {
  std::string variable;
  for (const char c : name) {
    variable += c == '.' || c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return variable;
}

std::string flag_of(std::string_view name) {
  return "--" + std::string(name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name);
}

Expected<Values> read_settings_file(const std::string& path) {
  try {
    Values values;
    if (auto collected = collect(toml::parse_file(path), "", values); !collected) {
      auto error = collected.error();
      error.message = path + ": " + error.message;
      return std::unexpected(std::move(error));
    }
    return values;
  } catch (const toml::parse_error& error) {
    return wrong_setting("--config",
                         fmt::format("{}: line {}: {}", path, error.source().begin.line, error.description()));
  }
}

Expected<Values> read_environment(const char* const* environment) {
  std::map<std::string, const SettingRow*, std::less<>> known;
  for (const auto& row : setting_table()) {
    known[environment_variable_of(row.name)] = &row;
    if (!row.alias.empty()) known[environment_variable_of(row.alias)] = &row;
  }
  Values values;
  for (; *environment; ++environment) {
    const std::string_view entry(*environment);
    const auto equals = std::min(entry.find('='), entry.size());
    const auto name = entry.substr(0, equals);
    const auto found = known.find(name);
    if (found == known.end()) {
      if (name.starts_with("CAMELEER_SERVER_")) return wrong_setting(name, "there is no setting of this name");
      continue;
    }
    // The full name wins over its alias, whatever the order of the environment.
    const bool is_alias = environment_variable_of(found->second->name) != name;
    std::string value(entry.substr(std::min(equals + 1, entry.size())));
    if (is_alias)
      values.try_emplace(std::string(found->second->name), std::move(value));
    else
      values[std::string(found->second->name)] = std::move(value);
  }
  return values;
}

Expected<Settings> resolve_settings(const SettingSources& sources) {
  Settings settings;
  for (const auto& row : setting_table()) {
    std::string_view value = row.default_value;
    std::string_view source = "default";
    for (const auto& [given, origin] :
         {std::pair{&sources.file, "file"}, std::pair{&sources.environment, "environment"},
          std::pair{&sources.flags, "flag"}}) {
      if (const auto found = given->find(row.name); found != given->end()) {
        value = found->second;
        source = origin;
      }
    }
    if (!row.apply(settings, value)) {
      const auto shown = row.secret ? std::string("a secret value") : fmt::format("'{}'", value);
      return wrong_setting(row.name, fmt::format("{} from {} is not valid: it must be {}", shown, source, row.rule));
    }
  }
  if (auto together = check_together(settings); !together) return std::unexpected(together.error());
  return settings;
}

std::string settings_as_markdown() {
  std::string text =
      "# Settings\n\n"
      "Generated by `cameleer-server --print settings`; a test holds it to the program.\n\n"
      "A flag wins over the environment variable, the variable over the TOML file (`--config`), the file over the "
      "default. "
      "A wrong value stops the start with its name and rule.\n\n"
      "| setting | flag | environment variable | default | rule | purpose |\n|---|---|---|---|---|---|\n";
  for (const auto& row : setting_table()) {
    auto variable = environment_variable_of(row.name);
    if (!row.alias.empty()) variable += "`, `" + environment_variable_of(row.alias);
    std::string rule(row.rule);
    for (std::size_t at = 0; (at = rule.find('|', at)) != std::string::npos; at += 2) rule.insert(at, "\\");
    text += fmt::format("| `{}` | `{}` | `{}` | {} | {} | {}{} |\n", row.name, flag_of(row.name), variable,
                        row.default_value.empty() ? "" : fmt::format("`{}`", row.default_value), rule, row.purpose,
                        row.secret ? " Secret." : "");
  }
  return text;
}

}  // namespace cameleer::server
