#pragma once
#include "server/ingest/decode_rules.hpp"
#include "server/ingest/json_records.hpp"
#include "server/ingest/row_identity.hpp"
#include "server/ingest/row_writer.hpp"
#include "server/ingest/stored_texts.hpp"

/// Logs, metrics and events: each element is one row, whose identity the request gives.
namespace cameleer::server {

/// What every one of them says.
struct SignalView {
  InstantReader* instants = nullptr;
  std::optional<Instant> timestamp;
  std::string_view application, instance_id;
};

/// The columns of what every one of them says.
class SignalColumns {
 public:
  SignalColumns(clickhouse::Block& block, const DecodeRules& rules, const DecodeContext& context)
      : rules_(rules),
        context_(context),
        tenant_id_(block.names("tenant_id")),
        environment_(block.names("environment")),
        application_(block.names("application")),
        instance_id_(block.names("instance_id")),
        time_(block.numbers<std::int64_t>("time")),
        row_id_(block.texts("row_id")),
        version_(block.numbers<std::uint64_t>("version")) {}

  void add(const SignalView& signal, std::string_view row_id) {
    tenant_id_.add(rules_.tenant);
    environment_.add(context_.environment);
    application_.add(signal.application.empty() ? std::string_view(context_.application) : signal.application);
    instance_id_.add(signal.instance_id.empty() ? std::string_view(context_.agent_id) : signal.instance_id);
    time_.add(milliseconds_of(*signal.timestamp));
    row_id_.add(row_id);
    version_.add(row_version(1, context_.now));
  }

 private:
  const DecodeRules& rules_;
  const DecodeContext& context_;
  clickhouse::Names &tenant_id_, &environment_, &application_, &instance_id_;
  clickhouse::Numbers<std::int64_t>& time_;
  clickhouse::Texts& row_id_;
  clickhouse::Numbers<std::uint64_t>& version_;
};

/// `Kind` has: `View`, a SignalView with the members of its own; `members()`, the table that reads it; `columns()`;
/// `table`; `complete(JsonMembers&, const View&)`, whether what is required is there; and a constructor from the block
/// whose `add(view, row, texts)` fills the columns of its own.
template <class Kind>
Expected<DecodedRequest> decode_signals(std::string& body, const DecodeRules& rules, const DecodeContext& context) {
  DecodedRequest request;
  const RowIds ids(context.agent_id, context.idempotency_key, body);
  InstantReader instants;
  StoredTexts texts(rules.sensitive_keys, rules.body_bytes);
  auto block = block_of(Kind::columns());
  SignalColumns shared(block, rules, context);
  Kind own(block);
  std::size_t rows = 0;
  auto read = for_each_element(
      body, DecodeRules::max_elements, [&](JsonMembers& members, std::size_t index, JsonMembers::Element element) {
        typename Kind::View view;
        view.instants = &instants;
        simdjson::dom::object object;
        if (!read_object(members, element, object) || !read_members(members, object, Kind::members(), view) ||
            !Kind::complete(members, view)) {
          return false;
        }
        if (!request.in_range(index, *view.timestamp, context)) return true;
        shared.add(view, ids.of(index));
        own.add(view, rows++, texts);
        return true;
      });
  if (!read) return std::unexpected(std::move(read.error()));
  request.accepted = rows;
  block.pad(rows);
  if (rows > 0) request.rows.parts.push_back(part_of(Kind::table, Kind::columns(), block));
  return request;
}

}  // namespace cameleer::server
