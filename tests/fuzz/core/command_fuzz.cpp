#include <cameleer/core/command.hpp>
#include <cstdlib>

using namespace cameleer;

// Any bytes are a body of a type or are refused by name; what a body was read to reads the same again, and travels in
// an envelope unchanged.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  (void)command::read_envelope(input);
  for (int number = 0; number < 6; ++number) {
    const auto type = static_cast<command::Type>(number);
    const auto body = command::read_body(type, input);
    if (!body) {
      if (!body.error().member.starts_with("/payload") || body.error().message.empty()) std::abort();
      continue;
    }
    const auto again = command::read_body(type, *body);
    if (!again || *again != *body) std::abort();
    const auto envelope = command::read_envelope(command::to_json({.command_id = "c",
                                                                   .type = type,
                                                                   .tenant_id = "t",
                                                                   .environment = "e",
                                                                   .agent_id = "a",
                                                                   .issued_at = instant_of(0),
                                                                   .expires_at = instant_of(1),
                                                                   .nonce = "n",
                                                                   .body = *body}));
    if (!envelope) std::abort();
    const auto travelled = command::read_body(type, envelope->body);
    if (!travelled || *travelled != *body) std::abort();
  }
  return 0;
}
