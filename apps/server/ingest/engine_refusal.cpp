#include "server/ingest/engine_refusal.hpp"

#include <algorithm>
#include <array>

namespace cameleer::server {
namespace {

// Codes of ClickHouse's ErrorCodes.cpp. Parse errors, wrong values, columns that the table does not have.
constexpr std::array kContent{6, 16, 26, 27, 32, 33, 38, 41, 53, 69, 70, 72, 117, 131, 190, 321, 349};

// Limits of time, memory and room; tables, disks, users and replicas that are not as they should be at the moment.
constexpr std::array kPassing{60,  74,  75,  76,  81,  159, 160, 164, 173, 192, 202, 203, 209, 210, 218,
                              225, 236, 241, 242, 243, 279, 290, 319, 394, 439, 473, 497, 516, 999};

constexpr int kTooManyParts = 252;

}  // namespace

Refusal refusal_of(const clickhouse::EngineError& error) {
  if (std::ranges::find(kContent, error.code) != kContent.end()) return Refusal::content;
  // One code for two things: rows over too many months, and merges that are behind.
  if (error.code == kTooManyParts) {
    return error.text.find("partitions for single INSERT") == std::string::npos ? Refusal::passing : Refusal::content;
  }
  const bool known = std::ranges::find(kPassing, error.code) != kPassing.end();
  if (error.code == 0 || known || error.error.code != ErrorCode::upstream_error) return Refusal::passing;
  return Refusal::unclear;
}

}  // namespace cameleer::server
