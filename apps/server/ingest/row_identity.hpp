#pragma once
#include <cameleer/core/instant.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace cameleer::server {

/// Which of several rows of one identity stays: the one of the higher rank, and of equal ranks the earlier arrival, so
/// that a page that was read before does not lose it. See schemas/clickhouse/V0001.
std::uint64_t row_version(std::uint32_t rank, Instant arrived);

/// Identities of rows that carry none of their own: they depend on the request and the place in it, and on no attempt,
/// process or batch. 16 bytes: XXH3-128 of the agent's id, the Idempotency-Key or else the SHA-256 of the body, and the
/// element's index.
class RowIds {
 public:
  RowIds(std::string_view agent_id, std::string_view idempotency_key, std::string_view body);
  [[nodiscard]] std::string of(std::size_t index) const;

 private:
  std::string request_;
};

}  // namespace cameleer::server
