#include <cameleer/core/processor_tree.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;

namespace {

ProcessorExecution step(std::uint32_t seq, std::optional<std::uint32_t> parent = {}, const char* status = "COMPLETED") {
  ProcessorExecution record;
  record.seq = seq;
  record.parent_seq = parent;
  record.status = status;
  record.processor_id = "p" + std::to_string(seq);
  return record;
}

// The tree as text: seqs, children in brackets.
std::string drawn(const std::vector<ProcessorExecution>& records) {
  const auto tree = build_processor_tree(records);
  std::string text;
  std::size_t open = 0;
  for (const auto index : tree.pre_order) {
    for (; open > tree.depth[index]; --open) text += ")";
    for (; open < tree.depth[index]; ++open) text += "(";
    if (!text.empty() && text.back() != '(') text += " ";
    text += std::to_string(records[index].seq);
  }
  for (; open > 0; --open) text += ")";
  CHECK(tree.pre_order.size() == records.size());
  return text;
}

}  // namespace

TEST_CASE("any flat records give one tree") {
  struct Row {
    const char* what;
    std::vector<ProcessorExecution> records;
    const char* tree;
  };
  const Row rows[] = {
      {"nothing", {}, ""},
      {"a chain", {step(0), step(1, 0), step(2, 1)}, "0( 1( 2))"},
      {"records in any order", {step(3, 1), step(1), step(2, 1), step(4)}, "1( 2 3) 4"},
      {"a parent that is missing", {step(1, 7), step(2, 1)}, "1( 2)"},
      {"its own parent", {step(1, 1), step(2, 1)}, "1( 2)"},
      {"a cycle of two", {step(2, 1), step(1, 2)}, "1( 2)"},
      {"a cycle of three with a tail", {step(5, 7), step(6, 5), step(7, 6), step(8, 6)}, "5( 6( 7 8))"},
      {"two with the same seq", {step(1), step(1, 1), step(2, 1)}, "1( 1 2)"},
      {"gaps", {step(10), step(20, 10), step(40, 10)}, "10( 20 40)"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    auto compact = drawn(row.records);
    std::string expected = row.tree;
    const auto squeeze = [](std::string& text) {
      std::string out;
      for (const char c : text) {
        if (c == ' ' && (out.empty() || out.back() == '(')) continue;
        out += c;
      }
      text = out;
    };
    squeeze(compact);
    squeeze(expected);
    CHECK(compact == expected);
  }
}

TEST_CASE("records with seqs of their own keep them, others are numbered in pre-order") {
  std::vector<ProcessorExecution> own{step(5), step(9, 5)};
  settle_sequence(own);
  CHECK(own[0].seq == 5);
  CHECK(own[1].parent_seq == 5u);

  std::vector<ProcessorExecution> doubled{step(1), step(2, 1), step(2, 1), step(3)};
  settle_sequence(doubled);
  for (std::uint32_t i = 0; i < doubled.size(); ++i) CHECK(doubled[i].seq == i);
  CHECK(doubled[2].parent_seq == 0u);
  CHECK_FALSE(doubled[3].parent_seq.has_value());
}

TEST_CASE("the failing processor is the deepest failed one without a failed child, then the first") {
  CHECK(find_failing_processor({}) == nullptr);
  const std::vector<ProcessorExecution> fine{step(0), step(1, 0)};
  CHECK(find_failing_processor(fine) == nullptr);
  const std::vector<ProcessorExecution> nested{step(0, {}, "FAILED"), step(1, 0, "FAILED"), step(2, 1),
                                               step(3, 0, "FAILED")};
  REQUIRE(find_failing_processor(nested));
  CHECK(find_failing_processor(nested)->seq == 1);
  const std::vector<ProcessorExecution> deeper{step(0, {}, "FAILED"), step(1), step(2, 1), step(3, 2, "FAILED")};
  CHECK(find_failing_processor(deeper)->seq == 3);
}

TEST_CASE("a tree of 20,000 records in one line of descent is built without recursion") {
  std::vector<ProcessorExecution> records;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    records.push_back(i == 0 ? step(i) : step(i, i - 1, i + 1 == 20'000 ? "FAILED" : "COMPLETED"));
  }
  const auto tree = build_processor_tree(records);
  CHECK(tree.roots.size() == 1);
  CHECK(tree.depth.back() == 19'999);
  CHECK(find_failing_processor(records)->seq == 19'999);
}
