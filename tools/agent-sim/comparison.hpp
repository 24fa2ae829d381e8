#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "agent-sim/ledger.hpp"

namespace cameleer::sim {

enum class Difference : std::uint8_t {
  missing,
  doubled,
  wrong_start,
  wrong_status,
  wrong_processors,
  wrong_content,
  unexpected
};
inline constexpr std::size_t kDifferences = 7;
std::string_view name_of(Difference difference);

/// An execution as a list of the server shows it.
struct Seen {
  Bits id;
  Instant start{};
  char status = '?';  ///< `C`, `F`; anything else is wrong
  std::uint32_t processors = 0;
};

/// Compares what was acknowledged with what a server shows. Holds 48 bytes an execution of the ledger: 10 million need
/// 480 MB.
class Comparison {
 public:
  void expect(const Record& record) { expected_.push_back({record, 0, false}); }
  /// Sent and never answered: may be there, once, or not.
  void tolerate(const Record& record) { expected_.push_back({record, 0, true}); }
  /// After the last expect(), before the first seen(). An execution that the ledger has twice counts once.
  void settle();

  void seen(const Seen& seen);
  /// An execution of the run that no line of the ledger names, by whatever id it has.
  void unexpected(std::string id) { note(Difference::unexpected, std::move(id)); }
  /// Of the whole execution; after seen() of the list.
  void content(Bits id, std::uint64_t checksum, std::uint32_t processors);
  /// After the last seen(): finds what is missing.
  void finish();

  [[nodiscard]] std::size_t expected() const { return acknowledged_; }
  [[nodiscard]] std::size_t tolerated() const { return expected_.size() - acknowledged_; }
  [[nodiscard]] std::size_t found() const { return found_; }
  [[nodiscard]] std::uint64_t count(Difference difference) const {
    return counts_[static_cast<std::size_t>(difference)];
  }
  [[nodiscard]] std::uint64_t total() const;
  /// The first ids of each kind.
  [[nodiscard]] const std::vector<std::string>& examples(Difference difference) const {
    return examples_[static_cast<std::size_t>(difference)];
  }
  /// The n-th acknowledged execution in order of ids, for samples.
  [[nodiscard]] const Record& at(std::size_t index) const { return expected_[index].record; }
  [[nodiscard]] std::size_t size() const { return expected_.size(); }
  [[nodiscard]] bool is_tolerated(std::size_t index) const { return expected_[index].tolerated; }

 private:
  struct Line {
    Record record;
    std::uint8_t seen = 0;
    bool tolerated = false;
  };
  Line* find(Bits id);
  void note(Difference difference, std::string id);

  std::vector<Line> expected_;
  std::size_t acknowledged_ = 0, found_ = 0;
  std::uint64_t counts_[kDifferences] = {};
  std::vector<std::string> examples_[kDifferences];
};

}  // namespace cameleer::sim
