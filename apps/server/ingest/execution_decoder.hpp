#pragma once
#include <cameleer/core/execution.hpp>

#include "server/ingest/decode_rules.hpp"
#include "server/ingest/execution_columns.hpp"
#include "server/ingest/row_writer.hpp"

namespace cameleer::server {

/// The rows of a request with executions, whole or in chunks. Rules and context outlive it.
class ExecutionBlocks {
 public:
  ExecutionBlocks(const DecodeRules& rules, const DecodeContext& context);
  /// Completes, masks, cuts and appends it; `chunk_seq` when it is a part.
  void add(Execution& execution, std::optional<std::uint32_t> chunk_seq, DecodedRequest& into);
  void finish(DecodedRequest& into) const;

 private:
  const DecodeRules& rules_;
  const DecodeContext& context_;
  RowOrigin origin_;
  Masker masker_;
  clickhouse::Block executions_, processors_;
};

/// The executions of a body as records (for tests and tools): every element, also those outside the time range.
Expected<std::vector<Execution>> read_executions(std::string& body);

}  // namespace cameleer::server
