#include "agent-sim/generator.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "server/ingest/execution_records.hpp"

using namespace cameleer;
using namespace cameleer::sim;

namespace {

const Instant kNoon = *parse_instant("2026-11-22T12:00:00.000Z");

std::string executions_of(const WorkloadOptions& options, unsigned agent, int count,
                          std::vector<Record>* records = nullptr) {
  Generator generator(options, agent);
  std::string body = "[";
  for (int i = 0; i < count; ++i) {
    if (i > 0) body += ',';
    const auto record = generator.append(body, kNoon + std::chrono::milliseconds(i * 13));
    if (records) records->push_back(record);
  }
  return body + "]";
}

}  // namespace

TEST_CASE("the same seed, agent and times give the same bytes; another seed or agent gives others") {
  const WorkloadOptions options{.seed = 7, .payload_bytes = 200};
  CHECK(executions_of(options, 0, 50) == executions_of(options, 0, 50));
  CHECK(executions_of(options, 0, 50) != executions_of(options, 1, 50));
  CHECK(executions_of(options, 0, 50) != executions_of({.seed = 8, .payload_bytes = 200}, 0, 50));
}

TEST_CASE("what is generated is what the server's own reader understands, and renders to the same text again") {
  for (const auto processors : {0u, 1u, 3u, 5u, 12u}) {
    for (const std::size_t payload : {0, 200, 1024}) {
      std::vector<Record> records;
      auto body = executions_of(
          {.seed = 3, .processors_per_execution = processors, .error_rate = 0.5, .payload_bytes = payload}, 4, 40,
          &records);
      const auto read = server::read_executions(body);
      REQUIRE(read);
      REQUIRE(read->size() == records.size());
      for (std::size_t i = 0; i < records.size(); ++i) {
        const auto& execution = (*read)[i];
        std::string again;
        render(execution, again);
        CHECK(checksum_of(again) == records[i].checksum);
        CHECK(execution.execution_id == id_of(records[i].id));
        CHECK(execution.start_time == records[i].start);
        CHECK(execution.processors.size() == processors);
        CHECK(execution.status == (records[i].status == 'F' ? status::failed : status::completed));
        CHECK(execution.end_time == execution.start_time + std::chrono::milliseconds(*execution.duration_ms));
      }
    }
  }
}

TEST_CASE("ids are unique over agents and executions") {
  std::set<std::string> ids;
  for (unsigned agent = 0; agent < 5; ++agent) {
    std::vector<Record> records;
    executions_of({.seed = 1}, agent, 200, &records);
    for (const auto& record : records) ids.insert(id_of(record.id));
  }
  CHECK(ids.size() == 1000);
}

TEST_CASE("the agents of a group share correlations, and their parent is the first one's execution") {
  std::vector<std::vector<Execution>> read;
  for (unsigned agent = 0; agent < 4; ++agent) {
    auto body = executions_of({.seed = 5}, agent, 3);
    read.push_back(*server::read_executions(body));
  }
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(read[0][i].parent_execution_id.empty());
    CHECK(read[1][i].correlation_id == read[0][i].correlation_id);
    CHECK(read[2][i].parent_execution_id == read[0][i].execution_id);
    CHECK(read[3][i].correlation_id != read[0][i].correlation_id);
    CHECK(read[0][i].application != read[1][i].application);
  }
}

TEST_CASE("failures come at about their rate, with a stack and a failed processor") {
  std::vector<Record> records;
  auto body = executions_of({.seed = 2, .error_rate = 0.1}, 0, 2000, &records);
  const auto failed = std::count_if(records.begin(), records.end(), [](const auto& one) { return one.status == 'F'; });
  CHECK(failed > 140);
  CHECK(failed < 260);
  for (const auto& execution : *server::read_executions(body)) {
    const bool bad = execution.status == status::failed;
    CHECK(execution.error_stack_trace.empty() != bad);
    const auto broken = [](const auto& step) { return step.status == status::failed; };
    CHECK(std::any_of(execution.processors.begin(), execution.processors.end(), broken) == bad);
  }
}

TEST_CASE("a split's children carry the indices of its lines") {
  auto body = executions_of({.seed = 2}, 0, 1);
  const auto steps = server::read_executions(body)->front().processors;
  REQUIRE(steps.size() == 5);
  CHECK(steps[1].processor_type == "split");
  CHECK(steps[2].parent_seq == 1);
  CHECK(steps[2].split_index == 0);
  CHECK(steps[3].split_index == 1);
  CHECK_FALSE(steps[4].parent_seq);
}
