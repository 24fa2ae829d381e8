#pragma once
#include <expected>
#include <string>

namespace cameleer::license_minter {

/// How the program ends: part of its contract, scripts decide by it.
enum class ExitCode : int {
  done = 0,
  usage = 2,     ///< an unknown flag, a bad or missing value
  mismatch = 3,  ///< keys that do not belong together, a signature or token that does not verify
  key = 4,       ///< a key that cannot be read or is no Ed25519 key; a command that does not sign
  output = 5,    ///< the output cannot be written
};

/// The message names the flag and the rule, and holds no secret.
struct Failure {
  ExitCode code = ExitCode::usage;
  std::string message;
};

template <class T>
using Outcome = std::expected<T, Failure>;

inline std::unexpected<Failure> fail_with(ExitCode code, std::string message) {
  return std::unexpected(Failure{code, std::move(message)});
}

}  // namespace cameleer::license_minter
