#include <openssl/rand.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include "license-minter/commands.hpp"
#include "license-minter/file_access.hpp"

namespace cameleer::license_minter {
namespace {

Surroundings real_surroundings() {
  return {.now = [] { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); },
          .random =
              [](std::span<std::byte> bytes) {
                if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1) {
                  throw std::runtime_error("the random generator failed");
                }
              },
          .say = [](std::string_view sentence) { fmt::print(stderr, "cameleer-license-minter: {}\n", sentence); },
          .print = write_stdout};
}

Outcome<void> carry_out(const CommandLine& line, const Surroundings& surroundings) {
  switch (line.mode) {
    case Mode::mint:
      return mint_license(line, surroundings);
    case Mode::keygen:
      return generate_key(line.keygen, surroundings);
    case Mode::inspect:
      return inspect(line.inspection, surroundings);
    case Mode::revoke:
      return revoke(line, surroundings);
    case Mode::print:
      break;
  }
  const auto printed = surroundings.print(line.text);
  if (!printed) return fail_with(ExitCode::output, fmt::format("The output {}.", printed.error().message));
  return {};
}

int run(std::vector<std::string> arguments) {
  // A core dump would hold the key; a closed stdout is an error of ours to tell, not to die of.
  const rlimit nothing{.rlim_cur = 0, .rlim_max = 0};
  if (setrlimit(RLIMIT_CORE, &nothing) != 0 || std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) return EXIT_FAILURE;
  const auto surroundings = real_surroundings();
  const auto line = parse_command_line(std::move(arguments));
  const auto outcome = line ? carry_out(*line, surroundings) : Outcome<void>(std::unexpected(line.error()));
  if (outcome) return static_cast<int>(ExitCode::done);
  surroundings.say(outcome.error().message);
  return static_cast<int>(outcome.error().code);
}

}  // namespace
}  // namespace cameleer::license_minter

int main(int argc, char** argv) {
  try {
    return cameleer::license_minter::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    fmt::print(stderr, "cameleer-license-minter: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
