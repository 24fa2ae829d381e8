#pragma once
#include <cameleer/async/worker_pool.hpp>
#include <cameleer/clickhouse/client.hpp>
#include <cameleer/core/instant.hpp>
#include <cameleer/core/sensitive_keys.hpp>

#include "server/auth/principal.hpp"
#include "server/ingest/batch_writer.hpp"
#include "server/ingest/execution_decoder.hpp"

namespace cameleer::server {

struct IngestOptions {
  std::string tenant = "default";
  std::chrono::hours retention{24 *
                               30};    ///< `cameleer.server.ingest.retention-days`; older executions are refused alone
  std::size_t body_bytes = 64 * 1024;  ///< `cameleer.server.ingest.captured-body-bytes`; longer texts are stored cut
  std::vector<std::string> sensitive_keys =
      default_sensitive_keys();          ///< names and `*`/`?` globs, masked before storing
  std::size_t inline_bytes = 16 * 1024;  ///< larger requests are decoded on the worker pool
  BatchWriter::Options batch = {};
};

/// What became of one request.
struct IngestResult {
  std::size_t accepted = 0;
  std::vector<Rejection> rejected;
};

/// Takes what agents send: decodes, masks, encodes columns, and answers after the engine has stored the rows. I/O
/// thread only; `workers` and the inserter outlive the service.
class IngestService {
 public:
  IngestService(async::Executor executor, Inserter inserter, async::WorkerPool& workers, Clock clock,
                IngestOptions options);
  /// The usual inserter: the engine itself.
  IngestService(async::Executor executor, clickhouse::Client& engine, async::WorkerPool& workers, Clock clock,
                IngestOptions options);

  /// Stores the executions of `body` (JSON; taken over) as data of this agent. Environment, application and instance
  /// come from the principal. Errors: `malformed_body`, `invalid_member` (nothing stored), `overloaded`, `unavailable`.
  async::Task<Expected<IngestResult>> ingest_executions(const Principal& agent, std::string body);

  /// Takes no new requests and waits for the rows under way.
  async::Task<> stop() { return writer_.stop(); }
  [[nodiscard]] const BatchWriter::Counters& counters() const { return writer_.counters(); }

 private:
  async::WorkerPool& workers_;
  Clock clock_;
  IngestOptions options_;
  std::shared_ptr<const DecodeRules> rules_;
  BatchWriter writer_;
};

}  // namespace cameleer::server
