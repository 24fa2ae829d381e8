#pragma once
#include <cameleer/async/task.hpp>
#include <cameleer/clickhouse/client.hpp>
#include <deque>
#include <functional>
#include <memory>

namespace cameleer::server {

/// Native blocks of one request, ready to be inserted. Native bodies may be joined end to end, so that requests share
/// an insert without being decoded again.
struct EncodedRows {
  std::string executions;
  std::string processors;
  std::size_t rows = 0;  ///< of both tables
  [[nodiscard]] std::size_t bytes() const { return executions.size() + processors.size(); }
};

/// Inserts a Native body into a table. The engine in the server, something smaller in tests.
using Inserter = std::function<async::Task<clickhouse::Outcome<void>>(
    std::string table, std::span<const clickhouse::Block::Column> columns, std::string body)>;

/// Group commit: requests that arrive while an insert runs, or within `linger`, share the next one. Each caller waits
/// for its own rows. A batch that the engine refuses for its content is repeated request by request, so that one bad
/// request fails alone. I/O thread only.
class BatchWriter {
 public:
  struct Options {
    std::chrono::milliseconds linger{20};             ///< how long a request may wait for company
    std::size_t batch_rows = 100'000;                 ///< an insert is sent at once with so many rows
    std::size_t batch_bytes = 32u << 20;              ///< or so many bytes
    std::size_t waiting_bytes = 256u << 20;           ///< more are refused with `overloaded`
    std::chrono::milliseconds answer_within{20'000};  ///< a caller gets `unavailable` after so long
  };
  struct Counters {
    std::uint64_t requests = 0, batches = 0, split_batches = 0, rows = 0, refused = 0, failed = 0;
  };

  BatchWriter(async::Executor executor, Inserter inserter, Options options);
  ~BatchWriter();
  BatchWriter(const BatchWriter&) = delete;
  BatchWriter& operator=(const BatchWriter&) = delete;

  /// Returns when the rows are stored. `overloaded` and `unavailable`: try again later, the rows may or may not be
  /// stored; `malformed_body`: the engine refuses the content.
  async::Task<Expected<void>> write(EncodedRows rows);

  /// Refuses new rows, waits until the present ones are settled.
  async::Task<> stop();

  [[nodiscard]] const Counters& counters() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace cameleer::server
