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
  std::int32_t metrics_interval_seconds = 60;            ///< 1 to 3600
  double sampling_rate = 1.0;                            ///< 0 to 1
  std::string engine_level = "COMPLETE";                 ///< NONE, MINIMAL, REGULAR, COMPLETE
  std::string payload_capture_mode = "BOTH";             ///< NONE, INPUT, OUTPUT, BOTH
  std::map<std::string, std::string> traced_processors;  ///< processor id to a payload capture mode
  std::map<std::string, std::string> log_levels;         ///< logger to TRACE, DEBUG, INFO, WARN, ERROR or OFF
  std::vector<Tap> taps;
  std::uint64_t tap_version = 0;                ///< grows with every change of the taps
  std::map<std::string, bool> route_recording;  ///< route id to whether it is recorded; absent: it is
  bool compress_success = false;                ///< payloads of successful executions are left out
  std::vector<std::string> sensitive_keys;      ///< of the application; names and `*`/`?` globs
  friend bool operator==(const ApplicationConfig&, const ApplicationConfig&) = default;
};

/// Reads what a user stores (JSON). Members that are absent get their default; `application`, `environment`, `version`,
/// `tapVersion`, `updatedAt`, `updatedBy` and `mergedSensitiveKeys` are the server's and are ignored, as is what nobody
/// knows. `malformed_body`: no JSON object; `invalid_member` names the member and its rule. At most 200 taps with
/// different ids, 1,000 entries of each map, 200 sensitive keys of 256 bytes without white space at their ends; no name
/// is empty or holds NUL.
Expected<ApplicationConfig> read_application_config(std::string_view json);

/// The global keys as a user stores them: `{"keys": [...]}`, under the same rules as those of an application; `keys` is
/// required.
Expected<std::vector<std::string>> read_sensitive_keys(std::string_view json);

/// What is masked: the default keys, the global and the application's own, in this order and without repetition (ASCII
/// case does not count).
std::vector<std::string> merged_sensitive_keys(const std::vector<std::string>& global,
                                               const std::vector<std::string>& own);

/// What a user stores, as `read_application_config` reads it.
std::string to_json(const ApplicationConfig& config);
/// The read envelope: all of the above, the members of the server and `mergedSensitiveKeys`.
std::string to_envelope(const ApplicationConfig& config, const std::vector<std::string>& global_keys);

}  // namespace cameleer
