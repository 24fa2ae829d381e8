#include "agent-sim/comparison.hpp"

#include <algorithm>

namespace cameleer::sim {
namespace {

constexpr std::size_t kExamples = 5;
constexpr std::string_view kNames[kDifferences] = {"missing",          "doubled",       "wrong start", "wrong status",
                                                   "wrong processors", "wrong content", "unexpected"};

std::pair<std::uint64_t, std::uint64_t> key_of(Bits id) {
  return {id.high, id.low};
}

}  // namespace

std::string_view name_of(Difference difference) {
  return kNames[static_cast<std::size_t>(difference)];
}

void Comparison::settle() {
  // Acknowledged before tolerated, so that of two lines about one execution the stricter stays.
  std::sort(expected_.begin(), expected_.end(), [](const Line& a, const Line& b) {
    return std::pair(key_of(a.record.id), a.tolerated) < std::pair(key_of(b.record.id), b.tolerated);
  });
  const auto same = [](const Line& a, const Line& b) { return key_of(a.record.id) == key_of(b.record.id); };
  expected_.erase(std::unique(expected_.begin(), expected_.end(), same), expected_.end());
  acknowledged_ = static_cast<std::size_t>(
      std::count_if(expected_.begin(), expected_.end(), [](const Line& line) { return !line.tolerated; }));
}

Comparison::Line* Comparison::find(Bits id) {
  const auto at = std::lower_bound(expected_.begin(), expected_.end(), key_of(id),
                                   [](const Line& line, const auto& key) { return key_of(line.record.id) < key; });
  return at == expected_.end() || key_of(at->record.id) != key_of(id) ? nullptr : &*at;
}

void Comparison::seen(const Seen& seen) {
  auto* line = find(seen.id);
  if (!line) return note(Difference::unexpected, id_of(seen.id));
  if (line->seen > 0) return note(Difference::doubled, id_of(seen.id));
  line->seen = 1;
  if (!line->tolerated) ++found_;
  if (seen.start != line->record.start) note(Difference::wrong_start, id_of(seen.id));
  if (seen.status != line->record.status) note(Difference::wrong_status, id_of(seen.id));
  if (seen.processors != line->record.processors) note(Difference::wrong_processors, id_of(seen.id));
}

void Comparison::content(Bits id, std::uint64_t checksum, std::uint32_t processors) {
  const auto* line = find(id);
  if (!line) return note(Difference::unexpected, id_of(id));
  if (processors != line->record.processors) return note(Difference::wrong_processors, id_of(id));
  if (checksum != line->record.checksum) note(Difference::wrong_content, id_of(id));
}

void Comparison::finish() {
  for (const auto& line : expected_) {
    if (line.seen == 0 && !line.tolerated) note(Difference::missing, id_of(line.record.id));
  }
}

std::uint64_t Comparison::total() const {
  std::uint64_t sum = 0;
  for (const auto count : counts_) sum += count;
  return sum;
}

void Comparison::note(Difference difference, std::string id) {
  ++counts_[static_cast<std::size_t>(difference)];
  auto& examples = examples_[static_cast<std::size_t>(difference)];
  if (examples.size() < kExamples) examples.push_back(std::move(id));
}

}  // namespace cameleer::sim
