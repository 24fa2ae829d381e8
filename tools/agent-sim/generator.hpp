#pragma once
#include <cameleer/core/instant.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "agent-sim/content.hpp"
#include "agent-sim/workload.hpp"

namespace cameleer::sim {

/// What the ledger keeps of an execution.
struct Record {
  Bits id;
  Instant start{};
  char status = 'C';  ///< `C`ompleted or `F`ailed
  std::uint32_t processors = 0;
  std::uint64_t checksum = 0;
  friend bool operator==(const Record& a, const Record& b) {
    return a.id.low == b.id.low && a.id.high == b.id.high && a.start == b.start && a.status == b.status &&
           a.processors == b.processors && a.checksum == b.checksum;
  }
};

/// Makes the executions of one agent: the same seed, agent and start times give the same bytes. Each is a rendered
/// prototype in which ids and times are replaced, so that it costs little more than copying it.
class Generator {
 public:
  Generator(const WorkloadOptions& options, unsigned agent);

  /// Appends the next execution as JSON.
  Record append(std::string& body, Instant start);
  [[nodiscard]] std::uint64_t made() const { return number_; }

 private:
  enum class Kind : std::uint8_t { execution, correlation, parent, order, time };
  struct Slot {
    std::size_t at = 0;
    Kind kind = Kind::execution;
    std::chrono::milliseconds offset{};  ///< of a time, from the start
  };
  struct Template {
    std::string text;
    std::vector<Slot> slots;
  };
  static Template make_template(const Execution& prototype);
  void write_time(Instant instant, char* into);

  WorkloadOptions options_;
  std::uint64_t agent_;
  std::vector<Template> good_, bad_;
  std::uint64_t number_ = 0;
  std::int64_t cached_second_ = -1;
  std::string cached_text_;
};

}  // namespace cameleer::sim
