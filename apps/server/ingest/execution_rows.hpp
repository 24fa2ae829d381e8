#pragma once
#include "server/ingest/decode_rules.hpp"
#include "server/ingest/execution_reader.hpp"
#include "server/ingest/stored_texts.hpp"

namespace cameleer::server {

/// Columns that executions and processors share.
class RecordColumns {
 public:
  RecordColumns(clickhouse::Block& block, const DecodeRules& rules, const DecodeContext& context);

 protected:
  void message(const MessageView& message, const MapView& attributes, std::string_view error_message,
               std::string_view error_stack_trace, std::size_t row, StoredTexts& texts);

  std::string_view tenant_, environment_;
  clickhouse::Names &tenant_id, &environment, &application, &instance_id, &route_id, &status;
  clickhouse::Texts& execution_id;
  clickhouse::Numbers<std::int64_t>&start_time, &duration_ms;
  clickhouse::Texts &error_message, &error_stack_trace, &input_body, &output_body;
  clickhouse::Numbers<std::int64_t>&input_body_size, &output_body_size;
  clickhouse::Lists &input_headers, &output_headers, &attributes, &truncated;
  clickhouse::Numbers<std::uint64_t>& version;
};

/// Whose rows they are, where the element does not say, and which row of an identity stays.
struct RowOwner {
  std::string_view application, instance_id;
  std::uint64_t version = 0;
};

class ExecutionColumns : RecordColumns {
 public:
  ExecutionColumns(clickhouse::Block& block, const DecodeRules& rules, const DecodeContext& context);
  void add(const ExecutionReader& read, const RowOwner& owner, std::uint32_t processors, StoredTexts& texts);
  [[nodiscard]] std::size_t rows() const { return tenant_id.rows(); }

 private:
  clickhouse::Numbers<std::int64_t>& end_time_;
  clickhouse::Texts &correlation_id_, &exchange_id_, &parent_execution_id_, &replay_of_;
  clickhouse::Names &from_endpoint_, &engine_level_, &diagram_hash_, &failed_processor_id_, &failed_processor_type_;
  clickhouse::Numbers<std::uint32_t>& processor_count_;
};

class ProcessorColumns : RecordColumns {
 public:
  ProcessorColumns(clickhouse::Block& block, const DecodeRules& rules, const DecodeContext& context);
  void add(const ExecutionReader& read, const RowOwner& owner, StoredTexts& texts);
  [[nodiscard]] std::size_t rows() const { return tenant_id.rows(); }

 private:
  void add_step(const StepView& step, std::size_t row, StoredTexts& texts);

  clickhouse::Numbers<std::uint32_t>& seq_;
  clickhouse::Numbers<std::int64_t>&parent_seq_, &processor_start_time_;
  clickhouse::Names &processor_id_, &processor_type_, &endpoint_uri_, &circuit_breaker_state_;
  clickhouse::Numbers<std::int32_t>&iteration_, &iteration_size_, &loop_index_, &split_index_, &multicast_index_,
      &filter_matched_, &duplicate_message_;
  clickhouse::Texts& resolved_endpoint_uri_;
};

/// The rows of a request with executions, whole or in parts: completed, masked, cut, and straight into columns. Rules
/// and context outlive it.
class ExecutionRows {
 public:
  ExecutionRows(const DecodeRules& rules, const DecodeContext& context);
  /// What was read last; `chunk_seq` when it is a part.
  void add(const ExecutionReader& read, std::optional<std::uint32_t> chunk_seq, DecodedRequest& into);
  void finish(DecodedRequest& into);

 private:
  const DecodeContext& context_;
  StoredTexts texts_;
  clickhouse::Block execution_block_, processor_block_;
  ExecutionColumns executions_;
  ProcessorColumns processors_;
};

}  // namespace cameleer::server
