#include "server/ingest/execution_decoder.hpp"

#include "server/ingest/execution_columns.hpp"
#include "server/ingest/execution_records.hpp"
#include "server/ingest/json_records.hpp"

namespace cameleer::server {

ExecutionBlocks::ExecutionBlocks(const DecodeRules& rules, const DecodeContext& context)
    : rules_(rules),
      context_(context),
      origin_{rules.tenant, context.environment, context.now},
      masker_(rules.sensitive_keys),
      executions_(block_of(execution_columns())),
      processors_(block_of(processor_columns())) {}

void ExecutionBlocks::add(Execution& execution, std::optional<std::uint32_t> chunk_seq, DecodedRequest& into) {
  if (execution.application.empty()) execution.application = context_.application;
  if (execution.instance_id.empty()) execution.instance_id = context_.agent_id;
  mask_and_cut(execution, masker_, rules_.body_bytes);
  if (chunk_seq)
    append_chunk_rows(execution, *chunk_seq, origin_, executions_, processors_);
  else
    append_rows(execution, origin_, executions_, processors_);
  const auto seen = std::min(execution.start_time, context_.now);
  into.routes.note(execution.application, execution.route_id, seen, seen);
  ++into.accepted;
}

void ExecutionBlocks::finish(DecodedRequest& into) const {
  auto& parts = into.rows.parts;
  if (processors_.rows() > 0) parts.push_back(part_of("processor_executions", processor_columns(), processors_));
  if (executions_.rows() > 0) parts.push_back(part_of("executions", execution_columns(), executions_));
}

Expected<DecodedRequest> decode_executions(std::string body, const DecodeRules& rules, const DecodeContext& context) {
  DecodedRequest request;
  ExecutionBlocks blocks(rules, context);
  auto read = for_each_element(body, DecodeRules::max_elements,
                               [&](JsonMembers& members, std::size_t index, JsonMembers::Element element) {
                                 Execution execution;
                                 if (!read_execution(members, element, execution)) return false;
                                 if (request.in_range(index, execution.start_time, context))
                                   blocks.add(execution, std::nullopt, request);
                                 return true;
                               });
  if (!read) return std::unexpected(std::move(read.error()));
  blocks.finish(request);
  return request;
}

Expected<std::vector<Execution>> read_executions(std::string& body) {
  std::vector<Execution> all;
  auto read = for_each_element(body, DecodeRules::max_elements,
                               [&](JsonMembers& members, std::size_t, JsonMembers::Element element) {
                                 return read_execution(members, element, all.emplace_back());
                               });
  if (!read) return std::unexpected(std::move(read.error()));
  return all;
}

bool DecodedRequest::in_range(std::size_t index, Instant time, const DecodeContext& context) {
  if (time >= context.oldest && time <= context.newest) return true;
  rejected.push_back({index, time < context.oldest ? "too_old" : "in_future"});
  return false;
}

}  // namespace cameleer::server
