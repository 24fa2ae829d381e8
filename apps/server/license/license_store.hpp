#pragma once
#include <array>
#include <cameleer/core/instant.hpp>
#include <cameleer/core/license.hpp>
#include <cameleer/postgres/pool.hpp>
#include <optional>
#include <string>

namespace cameleer::server {

/// What the database knows of the tenant's licence.
struct LicenseRows {
  std::int64_t version = 0;  ///< grows with each change of the licence or of the revocations
  Instant highest_seen{};
  std::string standing;  ///< what the audit log said last
  std::optional<std::string> license_id, previous_license_id;
  std::optional<std::string> token, stored_license_id;  ///< of the licence that was installed
  std::optional<std::string> revocations;               ///< the signed list
  std::int64_t sequence = 0;
};

struct LicenseInstallation {
  std::string tenant_id, token, license_id, installed_by;
};

using LicenseCounts = std::array<std::int64_t, license_limit_count>;

class LicenseStore {
 public:
  explicit LicenseStore(postgres::Pool& pool) : pool_(pool) {}

  async::Task<Expected<std::unique_ptr<postgres::Transaction>>> begin();
  async::Task<Expected<LicenseRows>> read(std::string tenant_id);
  /// One change of the licence at a time, over all processes.
  async::Task<Expected<LicenseRows>> lock(postgres::Transaction& transaction, std::string tenant_id);

  struct Seen {
    std::int64_t version = 0;
    Instant highest{};
  };
  async::Task<Expected<Seen>> seen();
  async::Task<Expected<void>> put_highest(Instant now);

  async::Task<Expected<void>> put_license(postgres::Transaction& transaction, LicenseInstallation license, Instant now);
  async::Task<Expected<void>> remove_license(postgres::Transaction& transaction, std::string tenant_id);
  async::Task<Expected<void>> put_revocations(postgres::Transaction& transaction, std::string token,
                                              std::int64_t sequence, std::string installed_by, Instant now);
  /// Keeps what the audit log says now. False: it said so already. Another licence than before makes that the previous
  /// one; without a licence the last one is remembered.
  async::Task<Expected<bool>> put_standing(postgres::Transaction& transaction, std::string standing,
                                           std::optional<std::string> license_id);

  /// How much there is of what each limit caps.
  async::Task<Expected<LicenseCounts>> counts();

 private:
  postgres::Pool& pool_;
};

}  // namespace cameleer::server
