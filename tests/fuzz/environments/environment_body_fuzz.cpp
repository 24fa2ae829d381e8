#include <cstdint>
#include <cstdlib>

#include "server/environments/environment_body.hpp"

/// What is taken keeps the rules of its members, whatever came.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cameleer::server;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto label = read_label(text);
  if (label && label->empty()) std::abort();
  const auto body = read_environment(text);
  if (!body) return 0;
  const auto& change = body->change;
  if (change.display_name && change.display_name->find('\0') != std::string::npos) std::abort();
  for (const auto& number : {change.execution_retention_days, change.log_retention_days, change.metric_retention_days,
                             change.jar_retention_count}) {
    if (number && *number && (**number < 1 || **number > 100'000)) std::abort();
  }
  if (is_environment_slug(body->slug) && (body->slug.size() > 40 || body->slug.find('~') != std::string::npos))
    std::abort();
  return 0;
}
