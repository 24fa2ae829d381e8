#pragma once
#include <cameleer/web/router.hpp>
#include <initializer_list>
#include <type_traits>

namespace cameleer::web {

/// One row of a feature's route table: a function of the feature's service answers.
template <class Service>
struct ServiceRoute {
  Method method = Method::get;
  std::string_view pattern;
  std::string_view operation_id;
  std::string_view access;
  async::Task<Response> (*handler)(Service&, Request&);
  std::size_t body_bytes = 0;  ///< where it differs from the table's limits, before and after Content-Encoding
};

/// Adds the table. The service must outlive the router; `limits` hold for every row.
template <class Service>
void add_service_routes(Router& router, Service& service, Limits limits,
                        std::initializer_list<ServiceRoute<std::type_identity_t<Service>>> rows) {
  for (const auto& row : rows) {
    Limits own = limits;
    if (row.body_bytes != 0) own.body_bytes = own.decoded_body_bytes = row.body_bytes;
    router.add({.method = row.method,
                .pattern = std::string(row.pattern),
                .operation_id = std::string(row.operation_id),
                .access = {row.access},
                .limits = own,
                .handler = [&service, handler = row.handler](Request& request) { return handler(service, request); }});
  }
}

}  // namespace cameleer::web
