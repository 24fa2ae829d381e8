#pragma once
#include <string>
#include <utility>
#include <vector>

#include "agent-sim/body_coding.hpp"
#include "agent-sim/generator.hpp"

namespace cameleer::sim {

/// One data request: its bytes never change, however often it is sent.
struct Batch {
  std::string key;  ///< Idempotency-Key
  std::string body;
  std::vector<Record> records;
  std::vector<std::pair<std::size_t, std::size_t>> places;  ///< begin and size of each execution in `plain`
  std::string plain;                                        ///< before the coding, when there is one
  Coding coding = Coding::identity;

  void add(Generator& generator, Instant start) {
    body += records.empty() ? '[' : ',';
    const auto begin = body.size();
    records.push_back(generator.append(body, start));
    places.emplace_back(begin, body.size() - begin);
  }
  void close(Coding with) {
    body += ']';
    coding = with;
    if (coding == Coding::identity) return;
    plain = body;
    body = encode(std::move(body), coding);
  }
  /// Executions `from` to `to`, as a request of their own.
  [[nodiscard]] Batch part(std::size_t from, std::size_t to) const {
    const auto& text = coding == Coding::identity ? body : plain;
    Batch part;
    part.key = key + fmt::format(".{}-{}", from, to);
    for (auto i = from; i < to; ++i) {
      part.body += i == from ? '[' : ',';
      part.places.emplace_back(part.body.size(), places[i].second);
      part.body.append(text, places[i].first, places[i].second);
      part.records.push_back(records[i]);
    }
    part.close(coding);
    return part;
  }
};

}  // namespace cameleer::sim
