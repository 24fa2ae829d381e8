#pragma once
#include <cameleer/async/worker_pool.hpp>
#include <cameleer/clickhouse/client.hpp>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "server/telemetry/distribution.hpp"

namespace cameleer::server {

/// Rows of one table as a Native body. Native bodies may be joined end to end, so that requests share an insert without
/// being decoded again.
struct TablePart {
  std::string_view table;  ///< one of `ingest_tables()`
  std::span<const clickhouse::Block::Column> columns;
  std::string body = {};
  std::size_t rows = 0;
  std::shared_ptr<const std::vector<clickhouse::Block::Column>> own_columns =
      {};  ///< what `columns` views, unless static
};

/// Every table that rows go to.
std::span<const std::string_view> ingest_tables();

/// What one request stores, or several that were joined. The last part goes in after the others: whoever sees its rows
/// sees theirs as well.
struct EncodedRows {
  std::vector<TablePart> parts = {};
  std::uint64_t sender = 0;  ///< stands for the agent: senders take turns
  std::size_t requests = 1;
  bool alone = false;  ///< shares no insert with others
  [[nodiscard]] std::size_t rows() const;
  [[nodiscard]] std::size_t bytes() const;
};

/// Of a request whose rows could never wait with others: its agent has to split it.
std::unexpected<Error> refuse_oversized(std::size_t bytes);

/// Inserts a Native body into a table. The engine in the server, something smaller in tests.
using Inserter = std::function<async::Task<clickhouse::Outcome<void>>(
    std::string table, std::span<const clickhouse::Block::Column> columns, std::string body)>;

/// Group commit, apart for each table that a request ends with: an idle one inserts at once, and requests that arrive
/// while an insert runs share the next one, the agents in turns. Different tables are inserted side by side. Each
/// caller waits for its own rows. A batch that the engine refuses for its content is halved until what it refuses is
/// alone. I/O thread only.
class BatchWriter {
 public:
  struct Options {
    std::size_t batch_rows = 100'000;     ///< most rows that requests share an insert with
    std::size_t batch_bytes = 32u << 20;  ///< and most bytes
    std::size_t waiting_bytes =
        256u << 20;  ///< more are refused with `overloaded`, one request with more as `body_too_large`
    std::chrono::milliseconds answer_within{20'000};  ///< a caller gets `unavailable` after so long
  };
  struct Counters {
    std::uint64_t requests = 0, batches = 0, split_batches = 0, refused = 0, failed = 0;
    std::uint64_t refused_waiting = 0, timed_out = 0;     ///< requests, by the bounds of `Options`
    std::map<std::string_view, std::uint64_t> rows = {};  ///< stored and acknowledged, by table
    Distribution batch_rows = Distribution::of_rows(), batch_bytes = Distribution::of_bytes();
    Distribution insert_seconds = Distribution::of_seconds();  ///< of a batch, whatever came of it
  };

  /// `workers`, where given, join what shares an insert, and outlive it.
  BatchWriter(async::Executor executor, Inserter inserter, Options options, async::WorkerPool* workers = nullptr);
  ~BatchWriter();
  BatchWriter(const BatchWriter&) = delete;
  BatchWriter& operator=(const BatchWriter&) = delete;

  /// Returns when the rows are stored; there must be some. `overloaded` and `unavailable`: try again later, the rows
  /// may or may not be stored; `malformed_body`: the engine refuses the content; `upstream_error`: it refuses for a
  /// reason that may lie in the content or not.
  async::Task<Expected<void>> write(EncodedRows rows);

  /// Refuses new rows, waits until the present ones are settled.
  async::Task<> stop();

  [[nodiscard]] const Counters& counters() const;
  [[nodiscard]] const Options& options() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace cameleer::server
