#pragma once
#include <cameleer/identity/keys.hpp>
#include <cameleer/postgres/pool.hpp>
#include <span>
#include <string_view>

#include "server/audit/audit_service.hpp"

namespace cameleer::server {

/// A column that holds secrets sealed by `identity::seal`, told by the feature that owns it.
struct SealedColumn {
  std::string_view name;  ///< for people
  /// Id and sealed text of the rows whose sealed text is like $1 and whose id is greater than $2, in the order of their
  /// ids, 500 at most.
  std::string_view select;
  std::string_view update;  ///< sets $3 where the id is $1 and the sealed text still is $2
  std::string (*place_of)(std::string_view id) = nullptr;  ///< the context that it was sealed with
};

/// What a start does about the master key: compares it with the one that the database was used with, and, while the
/// previous one is named, seals anew what is sealed by it. Only when all is done does the database know the new key, so
/// a rotation that was cut short is a rotation still, and the previous key is dispensable as soon as one start ended
/// well. I/O thread only.
class KeyRotation {
 public:
  /// `columns` and `keys` outlive it.
  KeyRotation(postgres::Pool& pool, AuditService& audit, const identity::Keys& keys, Random random,
              std::span<const SealedColumn> columns);

  struct Outcome {
    bool rotated = false;        ///< the database knew the previous key until now
    std::size_t resealed = 0;    ///< secrets
    std::size_t unreadable = 0;  ///< of the previous key by their own word, but they do not open: left as they are
  };
  /// `bad_configuration`: the database was used with another key than the current and the previous one.
  async::Task<Expected<Outcome>> settle();

 private:
  async::Task<Expected<void>> reseal(SealedColumn column, Outcome& outcome);
  async::Task<Expected<std::string>> known_check_value();
  async::Task<Expected<void>> take_over(std::string before, Outcome outcome);

  postgres::Pool& pool_;
  AuditService& audit_;
  const identity::Keys& keys_;
  Random random_;
  std::span<const SealedColumn> columns_;
};

}  // namespace cameleer::server
