#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/core/instant.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cameleer {

/// A business attribute taken from an exchange at a processor: the value of a Camel expression, under a name.
struct Tap {
  std::string tap_id, processor_id;
  std::string target = "OUTPUT";  ///< INPUT or OUTPUT: before or after the processor
  std::string language, expression, attribute;
  bool enabled = true;
  friend bool operator==(const Tap&, const Tap&) = default;
};

/// How the agents of one application in one environment record and report. Version 0: nothing is stored.
struct ApplicationConfig {
  std::string application, environment;
  std::uint64_t version = 0;
  std::optional<Instant> updated_at;
  std::string updated_by;
  bool metrics_enabled = true;
  std::int32_t metrics_interval_seconds = 60;  ///< 1 to 3600
  double sampling_rate = 1.0;                  ///< 0 to 1
  std::string engine_level = "COMPLETE";       ///< NONE, MINIMAL, REGULAR, COMPLETE
  std::string payload_capture_mode = "BOTH";   ///< NONE, INPUT, OUTPUT, BOTH
  std::map<std::string, std::string> traced_processors;  ///< processor id to a payload capture mode
  std::map<std::string, std::string> log_levels;         ///< logger to TRACE, DEBUG, INFO, WARN, ERROR or OFF
  std::vector<Tap> taps;
  std::uint64_t tap_version = 0;              ///< grows with every change of the taps
  std::map<std::string, bool> route_recording;  ///< route id to whether it is recorded; absent: it is
  bool compress_success = false;              ///< payloads of successful executions are left out
  std::vector<std::string> sensitive_keys;    ///< of the application; names and `*`/`?` globs
  friend bool operator==(const ApplicationConfig&, const ApplicationConfig&) = default;
};

/// Reads what a user stores. Members that are absent get their default; `application`, `environment`, `version`,
/// `tapVersion`, `updatedAt`, `updatedBy` and `mergedSensitiveKeys` are the server's and are ignored. The error names the
/// member and its rule. At most 200 taps, 1,000 entries of each map, 200 sensitive keys of 256 bytes.
Expected<ApplicationConfig> read_application_config(std::string_view json);

/// Global and own keys without repetition (ASCII case does not count), the global ones first.
std::vector<std::string> merged_sensitive_keys(const std::vector<std::string>& global,
                                               const std::vector<std::string>& own);

/// The stored form; with `merged` the read envelope, which adds `mergedSensitiveKeys`.
std::string to_json(const ApplicationConfig& config, const std::vector<std::string>* merged = nullptr);

}  // namespace cameleer
