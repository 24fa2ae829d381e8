#pragma once
#include <string>

#include "server/executions/executions_service.hpp"

namespace cameleer::server {

/// The answers of the API: members without a value are left out.
std::string to_json(const ExecutionPage& page);
std::string to_json(const ExecutionDetail& detail);

}  // namespace cameleer::server
