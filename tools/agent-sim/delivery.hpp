#pragma once
#include <map>
#include <string>
#include <vector>

#include "agent-sim/agent_session.hpp"
#include "agent-sim/batch.hpp"
#include "agent-sim/load.hpp"
#include "agent-sim/retry_delay.hpp"
#include "agent-sim/verdict.hpp"

namespace cameleer::sim {

/// What came of a batch.
struct Delivered {
  std::vector<Record> acknowledged, unknown;
  std::uint64_t dropped = 0, rejected = 0, retries = 0;
  std::chrono::steady_clock::duration took{};
};

/// Sends a batch as a right agent does, until it is answered for good: the same bytes and key again after 408, 429, 5xx
/// and silence, new tokens after 401, halves after 413. Gives up after `give_up_after`. Attempts that failed are
/// counted by status. `cut_short`: the first attempt ends after `timeout_retry`.
async::Task<Delivered> deliver(AgentSession& session, Batch batch, const LoadOptions& options,
                               std::map<std::string, std::uint64_t>& failures, bool cut_short);

/// Positions of elements that a 202 lists as refused alone.
std::vector<std::size_t> rejected_in(const std::string& answer);

}  // namespace cameleer::sim
