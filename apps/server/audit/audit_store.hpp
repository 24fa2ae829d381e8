#pragma once
#include <cameleer/postgres/pool.hpp>
#include <vector>

#include "server/audit/audit_seal.hpp"

namespace cameleer::server {

/// Which entries; what is not given does not matter.
struct AuditFilter {
  std::optional<Instant> from, to;  ///< from inclusive, to exclusive
  std::optional<std::string> username, category, action, target, result;
  std::optional<std::string> text;  ///< any case, in user, action, target or detail
};

/// A row with its place in the chain.
struct SealedRow {
  AuditRow row;
  std::int64_t position = 0;  ///< 0: not sealed
  std::string hash, previous_hash;
  bool missing = false;  ///< its seal is there, the row is not
};

/// The audit log, its chain and its signed heads as rows.
class AuditStore {
 public:
  explicit AuditStore(postgres::Pool& pool) : pool_(pool) {}

  /// The newest first, older than the id `before`.
  async::Task<Expected<std::vector<SealedRow>>> page(AuditFilter filter, std::optional<std::int64_t> before,
                                                     std::size_t most);
  /// Sealed rows after `position`, in the order of the chain.
  async::Task<Expected<std::vector<SealedRow>>> sealed_after(AuditFilter filter, std::int64_t position,
                                                             std::size_t most);
  /// Rows that had no seal when the chain ended with `position`, after the id; as rows without one.
  async::Task<Expected<std::vector<SealedRow>>> rest_after(AuditFilter filter, std::int64_t position, std::int64_t id,
                                                           std::size_t most);
  /// Seals after `position` with their rows, or `missing`.
  async::Task<Expected<std::vector<SealedRow>>> seals_after(std::int64_t position, std::size_t most);

  /// Chains up to `most` rows that are committed and before which nothing can appear any more; how many. None as well
  /// while another process does it.
  async::Task<Expected<std::size_t>> seal(std::size_t most);
  /// Signs and stores the end of the chain when it grew since the last head and that is older than `age`.
  async::Task<Expected<std::optional<AuditHead>>> sign(const AuditKey& key, Instant now, std::chrono::milliseconds age);

  struct Chain {
    std::int64_t position = 0;
    std::string hash;
    std::int64_t unsealed = 0;
    std::int64_t inserted = 0;  ///< rows without a seal where the sealer has passed already
  };
  async::Task<Expected<Chain>> chain();
  /// Position of the first head that the seals contradict.
  async::Task<Expected<std::optional<std::int64_t>>> contradicted_head();
  /// The newest 1,000 heads.
  async::Task<Expected<std::vector<AuditHead>>> heads();

 private:
  async::Task<Expected<std::vector<SealedRow>>> rows(std::string sql, postgres::Parameters parameters);
  postgres::Pool& pool_;
};

}  // namespace cameleer::server
