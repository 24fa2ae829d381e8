#pragma once
#include <boost/json/object.hpp>

#include "server/claim_mappings/claim_mapping_service.hpp"

/// Rules and simulations as the REST API shows them, and how it reads them.
namespace cameleer::server {

boost::json::object json_of(const StoredRule& rule);
boost::json::object json_of(const Simulation& simulation);

/// A rule without id. `at`: the JSON pointer of the object, for errors.
Expected<claims::Rule> read_rule(const boost::json::value& value, const std::string& at);

}  // namespace cameleer::server
