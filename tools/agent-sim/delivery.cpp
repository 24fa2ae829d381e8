#include "agent-sim/delivery.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace cameleer::sim {
namespace {

using Steady = std::chrono::steady_clock;

web::ClientRequest request_of(const Batch& batch, const AgentSession& session, std::chrono::milliseconds deadline) {
  web::ClientRequest request{.method = web::Method::post,
                             .target = "/api/v1/data/executions",
                             .headers = {{"Authorization", "Bearer " + session.access_token()},
                                         {"Content-Type", "application/json"},
                                         {"Idempotency-Key", batch.key}},
                             .body = batch.body,
                             .deadline = deadline,
                             .idempotent = true};
  if (batch.coding != Coding::identity) {
    request.headers.push_back({"Content-Encoding", std::string(name_of(batch.coding))});
  }
  return request;
}

// Reads the head, waits, then reads the rest.
async::Task<Expected<web::ClientResponse>> send_reading_slowly(web::Client& client, web::ClientRequest request,
                                                               std::chrono::milliseconds wait) {
  const auto deadline = request.deadline;
  auto stream = co_await client.open(std::move(request));
  if (!stream) co_return std::unexpected(stream.error());
  auto answer = (*stream)->head();
  co_await async::sleep_for(co_await boost::asio::this_coro::executor, wait);
  for (;;) {
    auto piece = co_await (*stream)->next(deadline);
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return answer;
    answer.body += *piece;
  }
}

void take_acknowledgement(const Batch& batch, const web::ClientResponse& answer, Delivered& into) {
  std::vector<bool> refused(batch.records.size());
  for (const auto index : rejected_in(answer.body)) {
    if (index < refused.size()) refused[index] = true;
  }
  for (std::size_t i = 0; i < batch.records.size(); ++i) {
    if (refused[i])
      ++into.rejected;
    else
      into.acknowledged.push_back(batch.records[i]);
  }
}

}  // namespace

std::vector<std::size_t> rejected_in(const std::string& answer) {
  std::vector<std::size_t> indices;
  if (answer.find("\"rejected\"") == std::string::npos) return indices;
  const auto body = json_in({202, {}, answer});
  const auto* object = body.if_object();
  const auto* list = object ? object->if_contains("rejected") : nullptr;
  if (!list || !list->is_array()) return indices;
  for (const auto& one : list->get_array()) {
    const auto* element = one.if_object();
    const auto* index = element ? element->if_contains("index") : nullptr;
    if (index && index->is_int64() && index->get_int64() >= 0) {
      indices.push_back(static_cast<std::size_t>(index->get_int64()));
    }
  }
  return indices;
}

async::Task<Delivered> deliver(AgentSession& session, Batch batch, const LoadOptions& options,
                               std::map<std::string, std::uint64_t>& failures, bool cut_short) {
  Delivered result;
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto start = Steady::now();
  RetryDelay delay(options.first_backoff, options.most_backoff);
  bool renewed = false;
  std::vector<Batch> waiting;
  waiting.push_back(std::move(batch));
  while (!waiting.empty()) {
    const auto& next = waiting.back();
    const std::chrono::milliseconds deadline = cut_short ? options.timeout_retry : options.request_deadline;
    cut_short = false;
    const auto token = session.access_token();
    auto request = request_of(next, session, deadline);
    Expected<web::ClientResponse> answer;
    if (options.slow_read.count() > 0) {
      answer = co_await send_reading_slowly(session.client(), std::move(request), options.slow_read);
    } else {
      answer = co_await session.client().send(std::move(request));
    }
    const auto verdict = verdict_of(answer ? answer->status : 0);
    if (verdict == Verdict::acknowledged) {
      take_acknowledgement(next, *answer, result);
      waiting.pop_back();
      continue;
    }
    ++failures[answer ? std::to_string(answer->status) : std::string(name_of(answer.error().code))];
    if (verdict == Verdict::drop || (verdict == Verdict::split && next.records.size() == 1)) {
      result.dropped += next.records.size();
      waiting.pop_back();
      continue;
    }
    if (verdict == Verdict::split) {
      const auto middle = next.records.size() / 2;
      auto first = next.part(0, middle), second = next.part(middle, next.records.size());
      waiting.pop_back();
      waiting.push_back(std::move(second));
      waiting.push_back(std::move(first));
      continue;
    }
    if (Steady::now() - start > options.give_up_after) {
      for (const auto& one : waiting)
        result.unknown.insert(result.unknown.end(), one.records.begin(), one.records.end());
      break;
    }
    ++result.retries;
    // New tokens are tried at once, but only once in a row: a server that refuses them too is asked more slowly.
    const bool tried = std::exchange(renewed, false);
    if (verdict == Verdict::renew) renewed = co_await session.renew(token) && !tried;
    if (verdict == Verdict::register_again) co_await session.register_agent();
    if (!renewed) co_await async::sleep_for(executor, delay.next(answer ? answer->header("Retry-After") : ""));
  }
  result.took = Steady::now() - start;
  co_return result;
}

}  // namespace cameleer::sim
