#include <algorithm>
#include <cameleer/core/processor_tree.hpp>
#include <numeric>
#include <unordered_map>

namespace cameleer {
namespace {

constexpr auto none = ProcessorTree::none;

// A cut parent makes a root. Walks up from each record once; a walk that meets itself has found a cycle.
void cut_cycles(std::span<const ProcessorExecution> records, const std::vector<std::size_t>& by_seq,
                std::vector<std::size_t>& parent) {
  std::vector<std::size_t> walk(records.size(), 0);
  std::size_t number = 0;
  for (const auto start : by_seq) {
    ++number;
    auto at = start;
    while (at != none && walk[at] == 0) {
      walk[at] = number;
      at = parent[at];
    }
    if (at == none || walk[at] != number) continue;
    auto smallest = at;
    for (auto other = parent[at]; other != at; other = parent[other]) {
      if (std::pair(records[other].seq, other) < std::pair(records[smallest].seq, smallest)) smallest = other;
    }
    parent[smallest] = none;
  }
}

void walk_pre_order(ProcessorTree& tree) {
  std::vector<std::size_t> stack(tree.roots.rbegin(), tree.roots.rend());
  while (!stack.empty()) {
    const auto at = stack.back();
    stack.pop_back();
    tree.pre_order.push_back(at);
    tree.depth[at] = tree.parent[at] == none ? 0 : tree.depth[tree.parent[at]] + 1;
    stack.insert(stack.end(), tree.children[at].rbegin(), tree.children[at].rend());
  }
}

}  // namespace

ProcessorTree build_processor_tree(std::span<const ProcessorExecution> records) {
  ProcessorTree tree;
  tree.children.resize(records.size());
  tree.parent.assign(records.size(), none);
  tree.depth.assign(records.size(), 0);
  tree.pre_order.reserve(records.size());

  std::vector<std::size_t> by_seq(records.size());
  std::iota(by_seq.begin(), by_seq.end(), std::size_t{0});
  std::sort(by_seq.begin(), by_seq.end(),
            [&](std::size_t a, std::size_t b) { return std::pair(records[a].seq, a) < std::pair(records[b].seq, b); });
  std::unordered_map<std::uint32_t, std::size_t> first_of;
  first_of.reserve(records.size());
  for (const auto index : by_seq) first_of.emplace(records[index].seq, index);

  for (const auto index : by_seq) {
    if (!records[index].parent_seq) continue;
    const auto found = first_of.find(*records[index].parent_seq);
    if (found != first_of.end() && found->second != index) tree.parent[index] = found->second;
  }
  cut_cycles(records, by_seq, tree.parent);
  for (const auto index : by_seq) {
    (tree.parent[index] == none ? tree.roots : tree.children[tree.parent[index]]).push_back(index);
  }
  walk_pre_order(tree);
  return tree;
}

void settle_sequence(std::vector<ProcessorExecution>& records) {
  std::vector<std::uint32_t> seqs;
  seqs.reserve(records.size());
  for (const auto& record : records) seqs.push_back(record.seq);
  std::sort(seqs.begin(), seqs.end());
  if (std::adjacent_find(seqs.begin(), seqs.end()) == seqs.end()) return;

  const auto tree = build_processor_tree(records);
  std::vector<std::uint32_t> number(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) number[tree.pre_order[i]] = static_cast<std::uint32_t>(i);
  std::vector<ProcessorExecution> sorted;
  sorted.reserve(records.size());
  for (const auto index : tree.pre_order) {
    auto& record = records[index];
    record.seq = number[index];
    record.parent_seq.reset();
    if (tree.parent[index] != none) record.parent_seq = number[tree.parent[index]];
    sorted.push_back(std::move(record));
  }
  records = std::move(sorted);
}

const ProcessorExecution* find_failing_processor(std::span<const ProcessorExecution> records) {
  if (std::none_of(records.begin(), records.end(), [](const auto& r) { return r.status == status::failed; })) {
    return nullptr;
  }
  const auto tree = build_processor_tree(records);
  std::vector<bool> has_failed_child(records.size(), false);
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i].status == status::failed && tree.parent[i] != none) has_failed_child[tree.parent[i]] = true;
  }
  auto best = none;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i].status != status::failed || has_failed_child[i]) continue;
    if (best == none || tree.depth[i] > tree.depth[best] ||
        (tree.depth[i] == tree.depth[best] && records[i].seq < records[best].seq)) {
      best = i;
    }
  }
  return best == none ? nullptr : &records[best];
}

}  // namespace cameleer
