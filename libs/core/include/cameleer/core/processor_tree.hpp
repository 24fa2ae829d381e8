#pragma once
#include <cameleer/core/execution.hpp>
#include <span>

/// The tree that flat processor records stand for. Records may come from anywhere, so every input gives a tree, the
/// same one each time: a parent that is not there, or is the record itself, makes a root; of records with the same seq
/// the first is the parent of their children; a cycle is cut above its smallest seq. Nothing here recurses: trees may
/// be as deep as they have records.
namespace cameleer {

struct ProcessorTree {
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::vector<std::size_t> roots;                  ///< indices of records, by seq
  std::vector<std::vector<std::size_t>> children;  ///< for each record: its children, by seq
  std::vector<std::size_t> parent;                 ///< for each record: its parent or `none`
  std::vector<std::size_t> pre_order;              ///< every record once, a parent before its children
  std::vector<std::size_t> depth;                  ///< for each record: 0 for a root
};

ProcessorTree build_processor_tree(std::span<const ProcessorExecution> records);

/// Leaves records alone whose seqs all differ: they are identities that the agent gave. Otherwise renumbers the records
/// in pre-order, from 0, and sorts them so.
void settle_sequence(std::vector<ProcessorExecution>& records);

/// The record that made the execution fail: among the FAILED records without a FAILED child the deepest, and of those
/// the one with the smallest seq. Null: none failed.
const ProcessorExecution* find_failing_processor(std::span<const ProcessorExecution> records);

}  // namespace cameleer
