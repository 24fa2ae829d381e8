#pragma once
#include <string>
#include <string_view>

#include "server/environments/environment_service.hpp"

/// The bodies that requests about environments and their keys carry. A wrong member is `invalid_member` and named.
namespace cameleer::server {

struct EnvironmentBody {
  std::string slug;  ///< as given; empty: none
  EnvironmentChange change;
};
Expected<EnvironmentBody> read_environment(std::string_view body);

/// The label of a new key: not blank.
Expected<std::string> read_label(std::string_view body);

}  // namespace cameleer::server
