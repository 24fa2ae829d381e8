#include "server/executions/execution_json.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::server;

TEST_CASE("members without a value are left out, the others are there") {
  ExecutionDetail detail;
  auto& execution = detail.row.execution;
  execution.execution_id = "e";
  execution.status = "FAILED";
  execution.message.input_body = Body{"", 12};
  execution.truncated = {"inputBody"};
  detail.row.failed_processor_id = "p";
  const auto read = boost::json::parse(to_json(detail)).as_object();
  for (const auto* absent : {"correlationId", "endTime", "durationMs", "errorMessage", "outputBody", "inputHeaders"}) {
    CHECK_FALSE(read.contains(absent));
  }
  CHECK(read.at("failedProcessorId") == "p");
  CHECK(read.at("inputBody") == "");
  CHECK(read.at("inputBodySize") == 12);
  CHECK(read.at("attributes").as_object().empty());
  CHECK(read.at("processors").as_array().empty());
  CHECK(read.at("correlated").as_array().empty());
  CHECK(read.at("truncated").as_array().size() == 1);
}

TEST_CASE("processors are written as the tree they are") {
  ExecutionDetail detail;
  auto& steps = detail.row.execution.processors;
  for (const auto& [seq, parent] :
       std::vector<std::pair<std::uint32_t, int>>{{0, -1}, {1, 0}, {2, 1}, {3, 0}, {4, -1}}) {
    ProcessorExecution step;
    step.seq = seq;
    if (parent >= 0) step.parent_seq = static_cast<std::uint32_t>(parent);
    steps.push_back(step);
  }
  const auto read = boost::json::parse(to_json(detail));
  const auto& roots = read.at("processors").as_array();
  REQUIRE(roots.size() == 2);
  REQUIRE(roots[0].at("children").as_array().size() == 2);
  CHECK(roots[0].at("children").at(0).at("children").at(0).at("seq") == 2);
  CHECK(roots[0].at("children").at(1).at("seq") == 3);
  CHECK(roots[1].at("seq") == 4);
}

TEST_CASE("a tree as deep as it has records is written") {
  ExecutionDetail detail;
  detail.row.execution.processors.resize(20'000);
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    detail.row.execution.processors[i].seq = i;
    if (i > 0) detail.row.execution.processors[i].parent_seq = i - 1;
  }
  const auto text = to_json(detail);
  CHECK(std::count(text.begin(), text.end(), '[') == std::count(text.begin(), text.end(), ']'));
  CHECK(text.find("\"seq\":19999") != std::string::npos);
}
