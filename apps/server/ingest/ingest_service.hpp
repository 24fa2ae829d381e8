#pragma once
#include <array>
#include <cameleer/async/worker_pool.hpp>
#include <cameleer/clickhouse/client.hpp>
#include <cameleer/core/instant.hpp>
#include <cameleer/core/sensitive_keys.hpp>
#include <map>

#include "server/auth/principal.hpp"
#include "server/ingest/batch_writer.hpp"
#include "server/ingest/data_kinds.hpp"
#include "server/ingest/decode_turns.hpp"
#include "server/ingest/journaled_writer.hpp"
#include "server/ingest/route_catalog.hpp"

namespace cameleer::server {

/// The sensitive keys of an application. Asked for once a request, so it should keep them.
using SensitiveKeysOf = std::function<async::Task<Expected<std::shared_ptr<const SensitiveKeys>>>(
    std::string environment, std::string application)>;

/// How long data of this kind is kept in an environment (slug) just now. Asked for once a request.
using RetentionOf = std::function<async::Task<std::chrono::hours>(std::string environment, DataKind kind)>;

struct IngestOptions {
  std::string tenant = "default";
  std::chrono::hours retention{24 *
                               30};    ///< `cameleer.server.ingest.retention-days`; older executions are refused alone
  RetentionOf retention_of = {};       ///< replaces `retention`
  std::size_t body_bytes = 64 * 1024;  ///< `cameleer.server.ingest.captured-body-bytes`; longer texts are stored cut
  std::vector<std::string> sensitive_keys =
      default_sensitive_keys();            ///< names and `*`/`?` globs, masked before storing
  SensitiveKeysOf sensitive_keys_of = {};  ///< replaces them; empty, or when it fails: `sensitive_keys`
  std::size_t inline_bytes = 16 * 1024;    ///< larger requests are decoded on the worker pool
  DecodeTurns::Options turns = {};         ///< at the worker pool
  BatchWriter::Options batch = {};
  std::optional<JournaledWriter::Options> journal = {};  ///< none: acknowledged when the store has the rows
  bool acknowledge_stored = false;                       ///< then as well: the journal only delivers what it holds
};

/// What became of one request.
struct IngestResult {
  std::size_t accepted = 0;
  std::vector<Rejection> rejected;
  std::vector<Rejection> flagged = {};  ///< accepted, though something is odd
};

/// Takes what agents send: decodes, masks, encodes columns, and answers when the rows are in the journal or, without
/// one, stored by the engine. I/O thread only; `workers` and the inserter outlive the service.
class IngestService {
 public:
  IngestService(async::Executor executor, Inserter inserter, async::WorkerPool& workers, Clock clock,
                IngestOptions options);
  /// The usual inserter: the engine itself.
  IngestService(async::Executor executor, clickhouse::Client& engine, async::WorkerPool& workers, Clock clock,
                IngestOptions options);

  /// Before the first request, where there is a journal; `bad_configuration` when it cannot be used.
  async::Task<Expected<void>> open();

  /// Stores what is in `body` (JSON; taken over) as data of this agent. The environment comes from the principal, as do
  /// application and instance where an element names none. The same `idempotency_key` (empty: none), or the same body,
  /// shows once. Errors: `malformed_body`, `invalid_member` (nothing stored), `overloaded`, `unavailable`.
  async::Task<Expected<IngestResult>> ingest(DataKind kind, const Principal& agent, std::string body,
                                             std::string idempotency_key = {});

  /// Takes no new requests and waits for the rows under way.
  async::Task<> stop();
  [[nodiscard]] const BatchWriter::Counters& counters() const { return writer_.counters(); }

  /// Where there is a journal, before `open`.
  void on_unusable_journal(JournaledWriter::Observer observer) {
    if (journal_) journal_->on_unusable(std::move(observer));
  }
  /// Null without one.
  [[nodiscard]] const JournaledWriter* journal() const { return journal_ ? &*journal_ : nullptr; }

  /// What became of the requests of one kind.
  struct KindCounters {
    std::uint64_t accepted = 0;                       ///< elements
    std::uint64_t too_old = 0, in_future = 0;         ///< elements refused alone
    std::uint64_t flagged = 0;                        ///< of the accepted: more than ten minutes ahead
    std::map<ErrorCode, std::uint64_t> refused = {};  ///< requests, by reason
  };
  [[nodiscard]] const KindCounters& counters(DataKind kind) const { return kinds_[static_cast<std::size_t>(kind)]; }

 private:
  async::Task<Expected<IngestResult>> take(DataKind kind, const Principal& agent, std::string body,
                                           std::string idempotency_key);
  async::Task<Expected<DecodedRequest>> decode(DataKind kind, const Principal& agent, std::string body,
                                               DecodeContext context, std::uint64_t sender);
  async::Task<std::shared_ptr<const DecodeRules>> rules_for(const Principal& agent);

  async::WorkerPool& workers_;
  Clock clock_;
  IngestOptions options_;
  std::shared_ptr<const DecodeRules> rules_;
  DecodeTurns turns_;
  BatchWriter writer_;
  std::optional<JournaledWriter> journal_;
  RouteCatalog catalog_;
  std::array<KindCounters, kDataKinds> kinds_;
};

}  // namespace cameleer::server
