#pragma once
#include <cameleer/web/client.hpp>
#include <string>

#include "agent-sim/comparison.hpp"
#include "agent-sim/store_reader.hpp"

namespace cameleer::sim {

struct CheckOptions {
  web::Endpoint server;
  std::string username = "admin", password;
  std::string ledger;
  std::size_t details = 200;  ///< executions whose whole content is read and compared, spread evenly
  bool deep = false;          ///< all of them
  /// With an address the executions and the whole content of all of them are read from there instead of the list; the
  /// REST API is asked for the sample only.
  StoreAccess store = {};
  std::chrono::seconds wait{120};  ///< at most, until the server has stored what it acknowledged
};

struct CheckResult {
  Comparison comparison;
  LedgerSummary ledger;
  std::uint64_t listed = 0;    ///< executions of the run that the server shows
  std::uint64_t others = 0;    ///< executions of other agents in the same time
  std::uint64_t compared = 0;  ///< whole contents
  std::uint64_t sampled = 0;   ///< of those read from the store, read through the API as well
  std::uint64_t steps = 0;     ///< processors in what the store holds
  std::string failure;         ///< the check could not be made
};

/// Reads back through the REST API what a ledger says was acknowledged. Makes its own I/O loop.
CheckResult run_check(const CheckOptions& options);

/// How much is wrong. What a run that was cut off sent last is not in its ledger and may be there: that is not wrong.
std::uint64_t differences_of(const CheckResult& result);

/// The result as a table.
std::string table_of(const CheckResult& result);

/// An execution as the API's detail shows it; `malformed_body` when it is none.
Expected<Execution> read_detail(std::string_view json);

}  // namespace cameleer::sim
