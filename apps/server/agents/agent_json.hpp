#pragma once
#include <boost/json/value.hpp>
#include <cameleer/core/agent_registry.hpp>
#include <string_view>

namespace cameleer::server {

/// Reads JSON that was checked when it came in; deeper than Boost's default of 32, which the body's limit is not.
boost::json::value parse_json(std::string_view text);

/// An agent as the REST surface shows it.
boost::json::object json_of(const agent::Record& record);

}  // namespace cameleer::server
