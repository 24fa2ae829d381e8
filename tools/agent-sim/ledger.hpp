#pragma once
#include <cameleer/core/error.hpp>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "agent-sim/generator.hpp"

/// The ledger: what a server has acknowledged, line by line in an append-only text file.
///
///     ledger/1 seed=7 environment=default agents=sim-7- <checksum>
///     ok <id>:<start>:<status>:<processors>:<content checksum> … <checksum>     one a request, after its 202
///     unknown …                                                                 sent, and never answered
///     end <checksum>                                                            the run came to its end
///
/// Ids and checksums are hexadecimal, starts milliseconds since 1970; about 70 bytes an execution. The last word of a
/// line is the XXH3-64 of what stands before it. Each line is one write(2): it survives the end of every process, also
/// of the agent by kill -9, but not the loss of power, for nothing is synced. A last line that is torn counts as never
/// written; a wrong line before the last makes the ledger unusable.
namespace cameleer::sim {

struct LedgerHeader {
  std::uint64_t seed = 0;
  std::string environment;
  std::string agents;  ///< what the ids of all agents of the run begin with
};

enum class LedgerLine : std::uint8_t { header, acknowledged, unknown, end };

struct LedgerEntry {
  LedgerLine kind = LedgerLine::end;
  LedgerHeader header;
  std::vector<Record> records;
};

std::string format_header(const LedgerHeader& header);
std::string format_records(LedgerLine kind, std::span<const Record> records);
std::string format_end();
/// A line without its line feed; `malformed_body` when it is none.
Expected<LedgerEntry> parse_ledger_line(std::string_view line);

/// Appends to a new file; an existing one is refused, for a seed gives the same ids again.
class LedgerWriter {
 public:
  static Expected<LedgerWriter> create(const std::string& path, const LedgerHeader& header);
  LedgerWriter(LedgerWriter&& other) noexcept;
  ~LedgerWriter();
  Expected<void> acknowledged(std::span<const Record> records);
  Expected<void> unknown(std::span<const Record> records);
  Expected<void> end();

 private:
  explicit LedgerWriter(int descriptor) : descriptor_(descriptor) {}
  Expected<void> write(const std::string& line);
  int descriptor_;
};

struct LedgerSummary {
  LedgerHeader header;
  bool ended = false;  ///< has its last line
  bool torn = false;   ///< the last line was cut off
};

/// Gives each line to `take` in order. Errors: `not_found`, `malformed_body`.
Expected<LedgerSummary> read_ledger(const std::string& path, const std::function<void(const LedgerEntry&)>& take);

}  // namespace cameleer::sim
