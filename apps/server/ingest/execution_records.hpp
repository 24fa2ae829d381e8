#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/core/execution.hpp>

namespace cameleer::server {

/// The executions of a body as records (for tests and tools): every element, also those outside the time range.
Expected<std::vector<Execution>> read_executions(std::string& body);

}  // namespace cameleer::server
