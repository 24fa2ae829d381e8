#pragma once
#include <cameleer/core/execution.hpp>
#include <cameleer/web/client.hpp>
#include <functional>
#include <string>

namespace cameleer::sim {

/// Where the rows of a server are, for a check that reads all of them: one execution after the other through the REST
/// API takes longer than the load did.
struct StoreAccess {
  std::string url;  ///< http(s)://host:port of ClickHouse; empty: none
  std::string user = "default", password;
  std::string database = "tenant_default";
};

/// Gives every execution of the agents whose ids begin with `agents`, with its steps, as readers see it (FINAL), in no
/// order. Starts lie in [from, to). Reads a slice of that time after the other and holds one slice in memory. A step
/// without an execution is given as an execution that has nothing else.
async::Task<Expected<void>> read_store(async::Executor executor, StoreAccess access, std::string agents, Instant from,
                                       Instant to, std::function<void(const Execution&)> take);

}  // namespace cameleer::sim
