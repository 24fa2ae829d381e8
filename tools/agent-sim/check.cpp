#include "agent-sim/check.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

#include "agent-sim/admin_session.hpp"
#include "agent-sim/agent_session.hpp"

namespace cameleer::sim {
namespace {

constexpr std::size_t kPage = 200;  // what the API gives at most

std::optional<Bits> bits_in(std::string_view id) {
  Bits bits;
  if (id.size() != kIdCharacters) return std::nullopt;
  const auto word = [](std::string_view text, std::uint64_t& into) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into, 16);
    return error == std::errc() && end == text.data() + text.size();
  };
  if (!word(id.substr(0, 16), bits.high) || !word(id.substr(16), bits.low)) return std::nullopt;
  return bits;
}

char letter_of(std::string_view status) {
  return status == status::completed ? 'C' : status == status::failed ? 'F' : '?';
}

struct Range {
  Instant from = Instant::max(), to = Instant::min();
  void take(Instant start) {
    from = std::min(from, start);
    to = std::max(to, start + std::chrono::milliseconds(1));
  }
};

void take_item(const boost::json::value& item, CheckResult& result) {
  const auto instance = text_member(item, "instanceId");
  if (!instance.starts_with(result.ledger.header.agents)) {
    ++result.others;
    return;
  }
  ++result.listed;
  const auto id = text_member(item, "executionId");
  const auto bits = bits_in(id);
  if (!bits) return result.comparison.unexpected(id);
  Seen seen{*bits, parse_instant(text_member(item, "startTime")).value_or(Instant{}),
            letter_of(text_member(item, "status"))};
  if (const auto* count = item.as_object().if_contains("processorCount"); count && count->is_int64()) {
    seen.processors = static_cast<std::uint32_t>(count->get_int64());
  }
  result.comparison.seen(seen);
}

std::string answered(std::string_view what, const Expected<web::ClientResponse>& answer) {
  if (!answer) return fmt::format("{}: {}", what, answer.error().message);
  return fmt::format("{} was answered {}: {}", what, answer->status, text_member(json_in(*answer), "detail"));
}

async::Task<> read_list(AdminSession& admin, Range range, CheckResult& result) {
  const auto base =
      fmt::format("/api/v1/environments/{}/executions", web::percent_encode(result.ledger.header.environment));
  const auto query = fmt::format("?limit={}&from={}&to={}", kPage, web::percent_encode(format_instant(range.from)),
                                 web::percent_encode(format_instant(range.to)));
  std::string cursor;
  do {
    auto answer = co_await admin.get(base + query + (cursor.empty() ? "" : "&cursor=" + web::percent_encode(cursor)));
    if (!answer || answer->status != 200) {
      result.failure = answered("The list of executions", answer);
      co_return;
    }
    const auto page = json_in(*answer);
    const auto* object = page.if_object();
    const auto* items = object ? object->if_contains("items") : nullptr;
    if (!items || !items->is_array()) {
      result.failure = "The list of executions has no items.";
      co_return;
    }
    for (const auto& item : items->get_array()) take_item(item, result);
    cursor = text_member(page, "nextCursor");
  } while (!cursor.empty());
}

void take_whole(const Execution& execution, CheckResult& result) {
  ++result.listed;
  result.steps += execution.processors.size();
  const auto bits = bits_in(execution.execution_id);
  if (!bits) return result.comparison.unexpected(execution.execution_id);
  const auto processors = static_cast<std::uint32_t>(execution.processors.size());
  result.comparison.seen({*bits, execution.start_time, letter_of(execution.status), processors});
  std::string rendered;
  render(execution, rendered);
  result.comparison.content(*bits, checksum_of(rendered), processors);
  ++result.compared;
}

async::Task<> read_whole(async::Executor executor, StoreAccess store, Range range, CheckResult& result) {
  std::function<void(const Execution&)> take = [&result](const Execution& execution) { take_whole(execution, result); };
  auto read = co_await read_store(executor, std::move(store), result.ledger.header.agents, range.from, range.to,
                                  std::move(take));
  if (!read) result.failure = "The store: " + read.error().message;
}

async::Task<> read_details(AdminSession& admin, const CheckOptions& options, CheckResult& result) {
  auto& comparison = result.comparison;
  const auto size = comparison.size();
  const auto wanted = options.deep ? size : std::min(options.details, size);
  for (std::size_t i = 0; i < wanted; ++i) {
    const auto index = i * size / wanted;
    if (comparison.is_tolerated(index)) continue;
    const auto record = comparison.at(index);
    auto answer = co_await admin.get(fmt::format("/api/v1/environments/{}/executions/{}?at={}",
                                                 web::percent_encode(result.ledger.header.environment),
                                                 id_of(record.id), web::percent_encode(format_instant(record.start))));
    // The list has told already that it is missing; what the store holds, the API must show.
    if (answer && answer->status == 404 && options.store.url.empty()) continue;
    if (!answer || answer->status != 200) {
      result.failure = answered("An execution", answer);
      co_return;
    }
    auto execution = read_detail(answer->body);
    if (!execution) {
      result.failure = execution.error().message;
      co_return;
    }
    std::string rendered;
    render(*execution, rendered);
    comparison.content(record.id, checksum_of(rendered), static_cast<std::uint32_t>(execution->processors.size()));
    ++(options.store.url.empty() ? result.compared : result.sampled);
  }
}

async::Task<> compare(async::Executor executor, AdminSession& admin, const CheckOptions& options, Range range,
                      CheckResult& result) {
  if (auto stored = co_await admin.stored(options.wait); !stored) {
    result.failure = stored.error().message;
    co_return;
  }
  if (options.store.url.empty())
    co_await read_list(admin, range, result);
  else
    co_await read_whole(executor, options.store, range, result);
  if (result.failure.empty()) co_await read_details(admin, options, result);
}

}  // namespace

CheckResult run_check(const CheckOptions& options) {
  CheckResult result;
  Range range;
  auto read = read_ledger(options.ledger, [&](const LedgerEntry& entry) {
    for (const auto& record : entry.records) {
      range.take(record.start);
      if (entry.kind == LedgerLine::acknowledged)
        result.comparison.expect(record);
      else
        result.comparison.tolerate(record);
    }
  });
  if (!read) {
    result.failure = read.error().message;
    return result;
  }
  result.ledger = *read;
  result.comparison.settle();
  if (result.comparison.size() == 0) {
    result.failure = "The ledger holds no execution: there is nothing to check.";
    return result;
  }
  boost::asio::io_context io(1);
  AdminSession admin(io.get_executor(), options.server, options.username, options.password);
  std::exception_ptr thrown;
  boost::asio::co_spawn(io, compare(io.get_executor(), admin, options, range, result), [&](std::exception_ptr error) {
    thrown = error;
    io.stop();  // kept connections would hold the loop until they are old
  });
  io.run();
  if (thrown) std::rethrow_exception(thrown);
  result.comparison.finish();
  return result;
}

std::uint64_t differences_of(const CheckResult& result) {
  const auto& comparison = result.comparison;
  return comparison.total() - (result.ledger.ended ? 0 : comparison.count(Difference::unexpected));
}

std::string table_of(const CheckResult& result) {
  const auto& comparison = result.comparison;
  auto text = fmt::format(
      "acknowledged      {}\nfound             {}\nnever answered    {} (there or not)\nwhole content     {} compared\n"
      "of other agents   {}\n",
      comparison.expected(), comparison.found(), comparison.tolerated(), result.compared, result.others);
  if (result.steps > 0) {
    text +=
        fmt::format("processors        {} in the store\nthrough the API   {} compared\n", result.steps, result.sampled);
  }
  for (std::size_t i = 0; i < kDifferences; ++i) {
    const auto difference = static_cast<Difference>(i);
    text += fmt::format("{:<18}{}", name_of(difference), comparison.count(difference));
    for (const auto& id : comparison.examples(difference)) text += " " + id;
    text += '\n';
  }
  if (result.ledger.torn) text += "The ledger's last line is torn and does not count.\n";
  if (!result.ledger.ended) {
    text += "The ledger has no last line: the run was cut off. Unexpected executions are no difference then.\n";
  }
  if (!result.failure.empty()) text += result.failure + '\n';
  return text;
}

}  // namespace cameleer::sim
