#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cameleer/core/application_config.hpp>
#include <cameleer/core/json_members.hpp>
#include <cameleer/core/json_writer.hpp>
#include <cameleer/core/sensitive_keys.hpp>
#include <set>

namespace cameleer {
namespace {

namespace dom = simdjson::dom;
using Element = JsonMembers::Element;
using Choices = std::span<const std::string_view>;

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxEntries = 1'000;
constexpr std::size_t kMaxTaps = 200;
constexpr std::size_t kMaxKeys = 200;
constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxLanguage = 64;
constexpr std::size_t kMaxExpression = 4'096;
constexpr std::int32_t kLongestInterval = 3'600;

constexpr std::string_view kEngineLevels[]{"NONE", "MINIMAL", "REGULAR", "COMPLETE"};
constexpr std::string_view kCaptureModes[]{"NONE", "INPUT", "OUTPUT", "BOTH"};
constexpr std::string_view kLogLevels[]{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "OFF"};
constexpr std::string_view kTapTargets[]{"INPUT", "OUTPUT"};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// A member that is there twice has two meanings; the user has one.
bool has_no_repetition(JsonMembers& members, dom::object object) {
  std::set<std::string_view> names;
  for (const auto field : object) {
    if (!names.insert(field.key).second) return members.refuse(field.key, "must not be there twice");
  }
  return true;
}

/// Text of `1` to `longest` bytes.
bool read_name(JsonMembers& members, std::string_view name, Element value, std::size_t longest, std::string& into) {
  std::string text;
  if (!members.text(name, value, text)) return false;
  if (text.empty() || text.size() > longest)
    return members.refuse(name, fmt::format("must have 1 to {} bytes", longest));
  if (text.find('\0') != std::string::npos) return members.refuse(name, "must not contain a NUL character");
  into = std::move(text);
  return true;
}

bool read_choice(JsonMembers& members, std::string_view name, Element value, Choices choices, std::string& into) {
  std::string text;
  if (value.is_null()) return true;
  if (!members.text(name, value, text)) return false;
  if (std::ranges::find(choices, text) == choices.end()) {
    return members.refuse(name, fmt::format("must be one of {}", fmt::join(choices, ", ")));
  }
  into = std::move(text);
  return true;
}

bool read_flag(JsonMembers& members, std::string_view name, Element value, bool& into) {
  std::optional<bool> flag;
  if (!members.boolean(name, value, flag)) return false;
  into = flag.value_or(into);
  return true;
}

/// An object whose values `read_value` reads; a value that is `null` counts as absent.
template <class Value, class ReadValue>
bool read_entries(JsonMembers& members, std::string_view name, Element value, std::map<std::string, Value>& into,
                  ReadValue read_value) {
  dom::object object;
  if (value.is_null()) return true;
  if (value.get(object) != simdjson::SUCCESS) return members.refuse(name, "must be an object");
  members.enter(name);
  for (const auto field : object) {
    if (field.value.is_null()) continue;
    if (field.key.empty() || field.key.size() > kMaxName || field.key.find('\0') != std::string_view::npos) {
      return members.refuse("", fmt::format("must have names of 1 to {} bytes without NUL", kMaxName));
    }
    if (into.size() == kMaxEntries) return members.refuse("", fmt::format("must have at most {} members", kMaxEntries));
    Value read{};
    if (!read_value(members, field.key, field.value, read)) return false;
    if (!into.emplace(field.key, std::move(read)).second) return members.refuse(field.key, "must not be there twice");
  }
  members.leave();
  return true;
}

bool read_choices(JsonMembers& members, std::string_view name, Element value, Choices choices,
                  std::map<std::string, std::string>& into) {
  return read_entries(members, name, value, into,
                      [&](JsonMembers& inner, std::string_view key, Element element, std::string& read) {
                        return read_choice(inner, key, element, choices, read);
                      });
}

constexpr MemberRule<Tap> kTapRules[]{
    {"tapId", [](auto& m, auto name, auto value, Tap& tap) { return read_name(m, name, value, kMaxName, tap.tap_id); }},
    {"processorId",
     [](auto& m, auto name, auto value, Tap& tap) { return read_name(m, name, value, kMaxName, tap.processor_id); }},
    {"target",
     [](auto& m, auto name, auto value, Tap& tap) { return read_choice(m, name, value, kTapTargets, tap.target); }},
    {"language",
     [](auto& m, auto name, auto value, Tap& tap) { return read_name(m, name, value, kMaxLanguage, tap.language); }},
    {"expression", [](auto& m, auto name, auto value,
                      Tap& tap) { return read_name(m, name, value, kMaxExpression, tap.expression); }},
    {"attribute",
     [](auto& m, auto name, auto value, Tap& tap) { return read_name(m, name, value, kMaxName, tap.attribute); }},
    {"enabled", [](auto& m, auto name, auto value, Tap& tap) { return read_flag(m, name, value, tap.enabled); }},
};

bool read_tap(JsonMembers& members, Element value, Tap& tap) {
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return members.refuse("", "must be an object");
  if (!has_no_repetition(members, object) || !read_members<Tap>(members, object, kTapRules, tap)) return false;
  const std::pair<std::string_view, const std::string&> required[]{{"tapId", tap.tap_id},
                                                                   {"processorId", tap.processor_id},
                                                                   {"language", tap.language},
                                                                   {"expression", tap.expression},
                                                                   {"attribute", tap.attribute}};
  for (const auto& [name, text] : required) {
    if (text.empty()) return members.refuse(name, "is required");
  }
  return true;
}

/// Calls `read_element` for each; false when one was refused.
template <class ReadElement>
bool read_array(JsonMembers& members, std::string_view name, Element value, std::size_t most,
                ReadElement read_element) {
  dom::array array;
  if (value.is_null()) return true;
  if (value.get(array) != simdjson::SUCCESS) return members.refuse(name, "must be an array");
  if (array.size() > most) return members.refuse(name, fmt::format("must have at most {} elements", most));
  members.enter(name);
  std::size_t index = 0;
  for (const auto element : array) {
    members.enter(index++);
    if (!read_element(element)) return false;
    members.leave();
  }
  members.leave();
  return true;
}

bool read_taps(JsonMembers& members, std::string_view name, Element value, ApplicationConfig& config) {
  std::set<std::string> ids;
  return read_array(members, name, value, kMaxTaps, [&](Element element) {
    Tap tap;
    if (!read_tap(members, element, tap)) return false;
    if (!ids.insert(tap.tap_id).second) return members.refuse("tapId", "must not be there twice");
    config.taps.push_back(std::move(tap));
    return true;
  });
}

/// How a key is no name or glob that masking understands, as in "must …".
std::optional<std::string_view> broken_rule(std::string_view key) {
  constexpr std::string_view kSpace = " \t\r\n";
  if (key.empty() || key.size() > kMaxName) return "must have 1 to 256 bytes";
  if (key.find('\0') != std::string_view::npos) return "must not contain a NUL character";
  if (kSpace.find(key.front()) != std::string_view::npos || kSpace.find(key.back()) != std::string_view::npos) {
    return "must not begin or end with white space";
  }
  return std::nullopt;
}

bool read_keys(JsonMembers& members, std::string_view name, Element value, std::vector<std::string>& into) {
  return read_array(members, name, value, kMaxKeys, [&](Element element) {
    std::string_view key;
    if (element.get(key) != simdjson::SUCCESS) return members.refuse("", "must be a string");
    if (const auto rule = broken_rule(key)) return members.refuse("", *rule);
    into.emplace_back(key);
    return true;
  });
}

bool read_interval(JsonMembers& members, std::string_view name, Element value, ApplicationConfig& config) {
  std::int64_t seconds = 0;
  if (value.is_null()) return true;
  if (!value.is_int64() || value.get(seconds) != simdjson::SUCCESS || seconds < 1 || seconds > kLongestInterval) {
    return members.refuse(name, fmt::format("must be a whole number from 1 to {}", kLongestInterval));
  }
  config.metrics_interval_seconds = static_cast<std::int32_t>(seconds);
  return true;
}

bool read_rate(JsonMembers& members, std::string_view name, Element value, ApplicationConfig& config) {
  double rate = 0;
  if (value.is_null()) return true;
  if (value.get(rate) != simdjson::SUCCESS || !(rate >= 0 && rate <= 1)) {
    return members.refuse(name, "must be a number from 0 to 1");
  }
  config.sampling_rate = rate == 0 ? 0 : rate;  // no -0
  return true;
}

constexpr MemberRule<ApplicationConfig> kRules[]{
    {"metricsEnabled",
     [](auto& m, auto name, auto value, auto& config) { return read_flag(m, name, value, config.metrics_enabled); }},
    {"metricsIntervalSeconds", read_interval},
    {"samplingRate", read_rate},
    {"engineLevel", [](auto& m, auto name, auto value,
                       auto& config) { return read_choice(m, name, value, kEngineLevels, config.engine_level); }},
    {"payloadCaptureMode",
     [](auto& m, auto name, auto value, auto& config) {
       return read_choice(m, name, value, kCaptureModes, config.payload_capture_mode);
     }},
    {"tracedProcessors",
     [](auto& m, auto name, auto value, auto& config) {
       return read_choices(m, name, value, kCaptureModes, config.traced_processors);
     }},
    {"logLevels", [](auto& m, auto name, auto value,
                     auto& config) { return read_choices(m, name, value, kLogLevels, config.log_levels); }},
    {"taps", read_taps},
    {"routeRecording", [](auto& m, auto name, auto value,
                          auto& config) { return read_entries(m, name, value, config.route_recording, read_flag); }},
    {"compressSuccess",
     [](auto& m, auto name, auto value, auto& config) { return read_flag(m, name, value, config.compress_success); }},
    {"sensitiveKeys",
     [](auto& m, auto name, auto value, auto& config) { return read_keys(m, name, value, config.sensitive_keys); }},
};

Expected<dom::object> object_in(dom::parser& parser, std::string_view json) {
  dom::element root;
  dom::object object;
  if (parser.allocate(std::max<std::size_t>(json.size(), 64), kMaxDepth) != simdjson::SUCCESS ||
      parser.parse(json.data(), json.size(), /*realloc_if_needed=*/true).get(root) != simdjson::SUCCESS) {
    return fail(ErrorCode::malformed_body, fmt::format("The body is not valid JSON of at most {} levels.", kMaxDepth));
  }
  if (root.get(object) != simdjson::SUCCESS) {
    return fail(ErrorCode::malformed_body, "The body must be a JSON object.");
  }
  return object;
}

void put_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const auto& text : texts) json.text(text);
  json.end_array();
}

void put_texts(JsonWriter& json, std::string_view name, const std::map<std::string, std::string>& texts) {
  json.key(name).begin_object();
  for (const auto& [key, text] : texts) json.key(key).text(text);
  json.end_object();
}

void put_flags(JsonWriter& json, std::string_view name, const std::map<std::string, bool>& flags) {
  json.key(name).begin_object();
  for (const auto& [key, flag] : flags) json.key(key).boolean(flag);
  json.end_object();
}

void put_taps(JsonWriter& json, const std::vector<Tap>& taps) {
  json.key("taps").begin_array();
  for (const auto& tap : taps) {
    json.begin_object().key("tapId").text(tap.tap_id).key("processorId").text(tap.processor_id);
    json.key("target").text(tap.target).key("language").text(tap.language).key("expression").text(tap.expression);
    json.key("attribute").text(tap.attribute).key("enabled").boolean(tap.enabled).end_object();
  }
  json.end_array();
}

void put_content(const ApplicationConfig& config, JsonWriter& json) {
  json.key("metricsEnabled").boolean(config.metrics_enabled);
  json.key("metricsIntervalSeconds").number(config.metrics_interval_seconds);
  json.key("samplingRate").real(config.sampling_rate);
  json.key("engineLevel").text(config.engine_level);
  json.key("payloadCaptureMode").text(config.payload_capture_mode);
  put_texts(json, "tracedProcessors", config.traced_processors);
  put_texts(json, "logLevels", config.log_levels);
  put_taps(json, config.taps);
  put_flags(json, "routeRecording", config.route_recording);
  json.key("compressSuccess").boolean(config.compress_success);
  put_texts(json, "sensitiveKeys", config.sensitive_keys);
}

}  // namespace

Expected<ApplicationConfig> read_application_config(std::string_view json) {
  dom::parser parser;
  const auto object = object_in(parser, json);
  if (!object) return std::unexpected(object.error());
  JsonMembers members;
  ApplicationConfig config;
  if (!has_no_repetition(members, *object) || !read_members<ApplicationConfig>(members, *object, kRules, config)) {
    return std::unexpected(std::move(*members.error));
  }
  return config;
}

Expected<std::vector<std::string>> read_sensitive_keys(std::string_view json) {
  constexpr std::string_view kMember = "keys";
  dom::parser parser;
  const auto object = object_in(parser, json);
  if (!object) return std::unexpected(object.error());
  JsonMembers members;
  std::vector<std::string> keys;
  Element element;
  const bool there = object->at_key(kMember).get(element) == simdjson::SUCCESS && !element.is_null();
  if (!there) members.refuse(kMember, "is required");
  if (!there || !has_no_repetition(members, *object) || !read_keys(members, kMember, element, keys)) {
    return std::unexpected(std::move(*members.error));
  }
  return keys;
}

std::vector<std::string> merged_sensitive_keys(const std::vector<std::string>& global,
                                               const std::vector<std::string>& own) {
  std::vector<std::string> merged;
  std::set<std::string> seen;
  for (const auto& keys : {default_sensitive_keys(), global, own}) {
    for (const auto& key : keys) {
      std::string folded = key;
      std::ranges::transform(folded, folded.begin(), lower);
      if (seen.insert(std::move(folded)).second) merged.push_back(key);
    }
  }
  return merged;
}

std::string to_json(const ApplicationConfig& config) {
  JsonWriter json;
  json.begin_object();
  put_content(config, json);
  return json.end_object().take();
}

std::string to_envelope(const ApplicationConfig& config, const std::vector<std::string>& global_keys) {
  JsonWriter json;
  json.begin_object().key("application").text(config.application);
  json.key("environment").text(config.environment);
  json.key("version").number(config.version);
  if (config.updated_at) json.key("updatedAt").text(format_instant(*config.updated_at));
  if (!config.updated_by.empty()) json.key("updatedBy").text(config.updated_by);
  put_content(config, json);
  json.key("tapVersion").number(config.tap_version);
  put_texts(json, "mergedSensitiveKeys", merged_sensitive_keys(global_keys, config.sensitive_keys));
  return json.end_object().take();
}

}  // namespace cameleer
