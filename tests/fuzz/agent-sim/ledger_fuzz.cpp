#include <cstdlib>

#include "agent-sim/ledger.hpp"

/// A line that is accepted is the line that its content gives again. The checksum is put right here, for no fuzzer
/// finds it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cameleer::sim;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)parse_ledger_line(text);
  const auto line = fmt::format("{} {:016x}", text, checksum_of(text));
  const auto entry = parse_ledger_line(line);
  if (!entry || entry->kind == LedgerLine::header || entry->kind == LedgerLine::end) return 0;
  const auto again = format_records(entry->kind, entry->records);
  const auto second = parse_ledger_line(std::string_view(again).substr(0, again.size() - 1));
  if (!second || second->records != entry->records) std::abort();
  return 0;
}
