#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <cstdlib>

#include "server/oidc/provider_users.hpp"

/// Whatever is stored is read without harm, and what was read once reads the same again. Claims are read by any path.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cameleer::server;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = text.find('\n');
  if (line != std::string_view::npos) (void)text_claim(text.substr(line + 1), text.substr(0, line));
  boost::system::error_code error;
  const auto value = boost::json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return 0;
  const auto once = json_of(fields_of(value.get_object()));
  if (json_of(fields_of(once)) != once) std::abort();
  (void)problem_of(fields_of(once));
  return 0;
}
