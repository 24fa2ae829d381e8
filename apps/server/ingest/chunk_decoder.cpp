#include "server/ingest/execution_decoder.hpp"
#include "server/ingest/execution_records.hpp"
#include "server/ingest/json_records.hpp"

namespace cameleer::server {
namespace {

using Element = JsonMembers::Element;
using Name = std::string_view;

struct Chunk {
  std::optional<Element> exchange;
  std::optional<simdjson::dom::array> processors;
  std::optional<std::uint32_t> chunk_seq;
  std::optional<bool> final;
};

bool keep(Element value, std::optional<Element>& into) {
  if (!value.is_null()) into = value;
  return true;
}

// clang-format off
constexpr MemberRule<Chunk> kRules[] = {
    {"exchange", [](JsonMembers&, Name, Element v, Chunk& c) { return keep(v, c.exchange); }},
    {"processors", [](JsonMembers& m, Name n, Element v, Chunk& c) { return read_list(m, n, v, c.processors); }},
    {"chunkSeq", [](JsonMembers& m, Name n, Element v, Chunk& c) { return m.sequence(n, v, c.chunk_seq); }},
    {"final", [](JsonMembers& m, Name n, Element v, Chunk& c) { return m.boolean(n, v, c.final); }},
};
// clang-format on

// `execution` gets the exchange with the processors of this chunk.
bool read_chunk(JsonMembers& members, Element element, Chunk& chunk, Execution& execution) {
  simdjson::dom::object object;
  if (!read_object(members, element, object) || !read_members<Chunk>(members, object, kRules, chunk)) return false;
  if (!require(members, {{"exchange", chunk.exchange.has_value()}, {"chunkSeq", chunk.chunk_seq.has_value()}})) {
    return false;
  }
  members.enter("exchange");
  if (!read_exchange(members, *chunk.exchange, execution)) return false;
  members.leave();
  if (chunk.final.value_or(false) && !is_terminal(execution.status)) {
    return members.refuse("final", "must not be true while the exchange is RUNNING");
  }
  if (!chunk.processors) return true;
  members.enter("processors");
  if (!read_flat_steps(members, *chunk.processors, execution.processors)) return false;
  members.leave();
  return true;
}

}  // namespace

Expected<DecodedRequest> decode_chunks(std::string body, const DecodeRules& rules, const DecodeContext& context) {
  DecodedRequest request;
  ExecutionBlocks blocks(rules, context);
  auto read =
      for_each_element(body, DecodeRules::max_elements, [&](JsonMembers& members, std::size_t index, Element element) {
        Chunk chunk;
        Execution execution;
        if (!read_chunk(members, element, chunk, execution)) return false;
        if (request.in_range(index, execution.start_time, context)) blocks.add(execution, chunk.chunk_seq, request);
        return true;
      });
  if (!read) return std::unexpected(std::move(read.error()));
  blocks.finish(request);
  return request;
}

}  // namespace cameleer::server
