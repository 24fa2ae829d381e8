#include "server/ingest/execution_rows.hpp"
#include "server/ingest/json_records.hpp"

namespace cameleer::server {

Expected<DecodedRequest> decode_executions(std::string body, const DecodeRules& rules, const DecodeContext& context) {
  DecodedRequest request;
  ExecutionReader reader;
  ExecutionRows rows(rules, context);
  auto read = for_each_element(body, DecodeRules::max_elements,
                               [&](JsonMembers& members, std::size_t index, JsonMembers::Element element) {
                                 if (!reader.read(members, element)) return false;
                                 if (request.in_range(index, *reader.execution().start_time, context))
                                   rows.add(reader, std::nullopt, request);
                                 return true;
                               });
  if (!read) return std::unexpected(std::move(read.error()));
  rows.finish(request);
  return request;
}

}  // namespace cameleer::server
