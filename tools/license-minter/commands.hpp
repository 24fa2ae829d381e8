#pragma once
#include <functional>

#include "license-minter/command_line.hpp"

/// What the program does, apart from reading its command line. One call is one run.
namespace cameleer::license_minter {

/// What a command needs of the world.
struct Surroundings {
  Clock now;
  Random random;
  Warn say;                                               ///< a line for people, on stderr
  std::function<Expected<void>(std::string_view)> print;  ///< the result, on stdout
};

Outcome<void> mint_license(const CommandLine& line, const Surroundings& surroundings);
Outcome<void> revoke(const CommandLine& line, const Surroundings& surroundings);
Outcome<void> generate_key(const KeygenOptions& options, const Surroundings& surroundings);
Outcome<void> inspect(const InspectOptions& options, const Surroundings& surroundings);

}  // namespace cameleer::license_minter
