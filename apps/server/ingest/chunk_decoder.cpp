#include "server/ingest/execution_rows.hpp"
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

constexpr MemberTable<Chunk> kTable(kRules);

// `reader` gets the exchange with the processors of this chunk.
bool read_chunk(JsonMembers& members, Element element, Chunk& chunk, ExecutionReader& reader) {
  simdjson::dom::object object;
  if (!read_object(members, element, object) || !read_members(members, object, kTable, chunk)) return false;
  if (!require(members, {{"exchange", chunk.exchange.has_value()}, {"chunkSeq", chunk.chunk_seq.has_value()}})) {
    return false;
  }
  members.enter("exchange");
  if (!reader.read_exchange(members, *chunk.exchange)) return false;
  members.leave();
  if (chunk.final.value_or(false) && !is_terminal(reader.execution().status)) {
    return members.refuse("final", "must not be true while the exchange is RUNNING");
  }
  if (!chunk.processors) return true;
  members.enter("processors");
  if (!reader.read_flat_steps(members, *chunk.processors)) return false;
  members.leave();
  return true;
}

}  // namespace

Expected<DecodedRequest> decode_chunks(std::string body, const DecodeRules& rules, const DecodeContext& context) {
  DecodedRequest request;
  ExecutionReader reader;
  ExecutionRows rows(rules, context);
  auto read =
      for_each_element(body, DecodeRules::max_elements, [&](JsonMembers& members, std::size_t index, Element element) {
        Chunk chunk;
        if (!read_chunk(members, element, chunk, reader)) return false;
        if (request.in_range(index, *reader.execution().start_time, context))
          rows.add(reader, chunk.chunk_seq, request);
        return true;
      });
  if (!read) return std::unexpected(std::move(read.error()));
  rows.finish(request);
  return request;
}

}  // namespace cameleer::server
