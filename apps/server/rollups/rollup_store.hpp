#pragma once
#include <optional>
#include <vector>

#include "server/rollups/rollup_lease.hpp"
#include "server/rollups/rollup_sql.hpp"

namespace cameleer::server {

/// The recorded rows and their roll-ups in ClickHouse, as the job sees them. Instants of arrival are by the store's
/// clock. I/O thread only; the client outlives it.
class RollupStore {
 public:
  RollupStore(clickhouse::Client& engine, std::string tenant) : engine_(engine), tenant_(std::move(tenant)) {}

  async::Task<Expected<Instant>> now();
  /// When the first recorded execution began; none: there is none.
  async::Task<Expected<std::optional<Instant>>> oldest();

  struct Minute {
    std::string environment;
    Instant minute;
  };
  /// What the job is to do between two positions, in order of environment and minute.
  struct Span {
    RollupPosition from, to;
  };
  /// The first `most` minutes after `after`.
  async::Task<Expected<std::vector<Minute>>> due(RollupKind kind, Span span, Minute after, std::size_t most);

  /// Computes these minutes of an environment anew and puts them in the place of what was there. Doing it again changes
  /// nothing. A minute of which rows are gone stays as it is.
  async::Task<Expected<void>> replace(RollupKind kind, std::string environment, MinuteRange minutes);

 private:
  clickhouse::Client& engine_;
  std::string tenant_;
};

}  // namespace cameleer::server
