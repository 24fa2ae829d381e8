#pragma once
#include <cameleer/core/execution.hpp>
#include <cameleer/core/json_members.hpp>
#include <cameleer/masking/masker.hpp>

namespace cameleer::server {

/// An execution with its processors, nested or flat.
bool read_execution(JsonMembers& members, JsonMembers::Element value, Execution& into);

/// An execution without processors, as a chunk has it.
bool read_exchange(JsonMembers& members, JsonMembers::Element value, Execution& into);
/// Processors of a chunk: flat records, each with a `seq` of its own. Other chunks bring the rest of the tree, so the
/// numbers stay as they are.
bool read_flat_steps(JsonMembers& members, simdjson::dom::array list, std::vector<ProcessorExecution>& into);

/// Masks first: what is cut off could be half of a secret's name.
void mask_and_cut(Execution& execution, Masker& masker, std::size_t most);

}  // namespace cameleer::server
