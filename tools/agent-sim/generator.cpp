#include "agent-sim/generator.hpp"

#include <cstring>

namespace cameleer::sim {
namespace {

constexpr std::size_t kOrderCharacters = slot::order.size();
constexpr std::size_t kTimeCharacters = 24;  // 2026-11-22T01:02:03.456Z

// Streams of random bits beside the agents' own.
constexpr std::uint64_t kCorrelations = 1ull << 40;

}  // namespace

Generator::Generator(const WorkloadOptions& options, unsigned agent) : options_(options), agent_(agent) {
  for (unsigned variant = 0; variant < kVariants; ++variant) {
    good_.push_back(make_template(prototype(options, agent, variant, false)));
    bad_.push_back(make_template(prototype(options, agent, variant, true)));
  }
}

Generator::Template Generator::make_template(const Execution& prototype) {
  Template made;
  render(prototype, made.text);
  constexpr std::pair<std::string_view, Kind> kIds[] = {{slot::execution, Kind::execution},
                                                        {slot::correlation, Kind::correlation},
                                                        {slot::parent, Kind::parent},
                                                        {slot::order, Kind::order}};
  for (const auto& [text, kind] : kIds) {
    for (auto at = made.text.find(text); at != std::string::npos; at = made.text.find(text, at + text.size())) {
      made.slots.push_back({at, kind, {}});
    }
  }
  for (auto at = made.text.find(slot::start_prefix); at != std::string::npos;
       at = made.text.find(slot::start_prefix, at + 1)) {
    const auto time = parse_instant(std::string_view(made.text).substr(at + 1, kTimeCharacters));
    if (time) made.slots.push_back({at + 1, Kind::time, *time - slot::start});
  }
  return made;
}

void Generator::write_time(Instant instant, char* into) {
  const auto milliseconds = milliseconds_of(instant);
  const auto second = milliseconds / 1000;
  if (second != cached_second_) {
    cached_text_ = format_instant(instant);
    cached_second_ = second;
  }
  std::memcpy(into, cached_text_.data(), kTimeCharacters);
  const auto rest = static_cast<unsigned>(milliseconds % 1000);
  into[20] = static_cast<char>('0' + rest / 100);
  into[21] = static_cast<char>('0' + rest / 10 % 10);
  into[22] = static_cast<char>('0' + rest % 10);
}

Record Generator::append(std::string& body, Instant start) {
  const auto number = number_++;
  Record record;
  record.id = bits_of(options_.seed, agent_, number);
  record.start = start;
  record.processors = options_.processors_per_execution;
  // 53 bits of the id make a number in [0, 1).
  const bool failed = static_cast<double>(record.id.high >> 11) * 0x1p-53 < options_.error_rate;
  record.status = failed ? 'F' : 'C';
  const auto& from = (failed ? bad_ : good_)[record.id.low % kVariants];

  // The agents of a group, one of each application, work on one order at a time.
  const auto group = agent_ / kApplications;
  std::array<char, kIdCharacters> id, correlation, parent;
  write_id(record.id, id.data());
  write_id(bits_of(options_.seed, kCorrelations + group, number), correlation.data());
  write_id(bits_of(options_.seed, group * kApplications, number), parent.data());

  const auto begin = body.size();
  body += from.text;
  char* const text = body.data() + begin;
  for (const auto& slot : from.slots) {
    char* const into = text + slot.at;
    switch (slot.kind) {
      case Kind::execution:
        std::memcpy(into, id.data(), id.size());
        break;
      case Kind::correlation:
        std::memcpy(into, correlation.data(), correlation.size());
        break;
      case Kind::parent:
        std::memcpy(into, parent.data(), parent.size());
        break;
      case Kind::order:
        std::memcpy(into, id.data(), kOrderCharacters);
        break;
      case Kind::time:
        write_time(start + slot.offset, into);
        break;
    }
  }
  record.checksum = checksum_of({text, from.text.size()});
  return record;
}

}  // namespace cameleer::sim
