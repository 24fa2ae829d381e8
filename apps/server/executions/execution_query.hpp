#pragma once
#include <cameleer/clickhouse/client.hpp>
#include <cameleer/core/execution_filter.hpp>
#include <string>
#include <string_view>

#include "server/executions/executions_store.hpp"

namespace cameleer::server {

/// A SELECT over one of the recorded tables. It cannot be made without tenant, environment and time range, reads
/// FINAL, and takes values as bound parameters only; the SQL handed to it is literal text of the store.
class ExecutionQuery {
 public:
  enum class Table { executions, processors };
  ExecutionQuery(Table table, const ReadScope& scope);

  /// Only rows that were there at the scope's `as_of`, in this or an earlier state.
  ExecutionQuery& visible();
  ExecutionQuery& where(std::string_view condition);
  ExecutionQuery& bind(clickhouse::Parameter parameter);
  /// Every restriction of the filter but its time range.
  ExecutionQuery& matching(const ExecutionFilter& filter);

  /// `SELECT <columns> FROM … WHERE … <tail>`.
  [[nodiscard]] std::string sql(std::string_view columns, std::string_view tail) const;
  /// How many rows there are, counted up to the parameter `most`.
  [[nodiscard]] std::string count_sql() const;
  /// `n` rows, the latest `newest`; duplicates count, so without FINAL.
  [[nodiscard]] std::string arrivals_sql() const;
  [[nodiscard]] clickhouse::Parameters parameters() const { return parameters_; }

  /// The state as readers see it; needs the parameter `stale_before`, which every query has.
  static constexpr std::string_view shown_status =
      "if(status = 'RUNNING' AND inserted_at < {stale_before:DateTime64(3)}, 'INCOMPLETE', status)";

 private:
  void match_texts(const ExecutionFilter& filter);
  [[nodiscard]] std::string_view table() const;
  [[nodiscard]] std::string body(std::string_view columns, std::string_view tail) const;
  Table table_;
  std::string conditions_;
  clickhouse::Parameters parameters_;
};

}  // namespace cameleer::server
