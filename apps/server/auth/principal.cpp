#include "server/auth/principal.hpp"

#include <stdexcept>

namespace cameleer::server {

const Principal& principal_of(const web::Request& request) {
  if (!request.principal) throw std::logic_error("a public route has no principal");
  return *static_cast<const Principal*>(request.principal.get());
}

}  // namespace cameleer::server
