// What the widest requests cost while they are decoded, by counting what is asked of the heap.
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "decode_fixture.hpp"
#include "server/ingest/data_kinds.hpp"

namespace {

std::atomic<std::size_t> held{0}, peak{0};

void* counted(void* memory) {
  if (!memory) return nullptr;
  const auto now = held += malloc_usable_size(memory);
  if (now > peak) peak = now;
  return memory;
}

void* or_throw(void* memory) {
  if (!memory) throw std::bad_alloc();
  return memory;
}

void release(void* memory) {
  if (memory) held -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  return or_throw(counted(std::malloc(size)));
}
void* operator new[](std::size_t size) {
  return or_throw(counted(std::malloc(size)));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return counted(std::malloc(size));
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return counted(std::malloc(size));
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete[](void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  release(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  release(memory);
}

using namespace cameleer;
using namespace cameleer::server;
using namespace cameleer::test;

namespace {

constexpr std::size_t kBody = 8u << 20;

const std::string kTime = R"("2026-11-22T01:02:03.456Z")";

// A map of so many entries, each as short as they can be and still differ; numbered from `first`.
std::string map_of(std::size_t entries, std::size_t first = 0) {
  std::string text = "{";
  for (std::size_t i = 0; i < entries; ++i) text += (i ? ",\"" : "\"") + std::to_string(first + i) + "\":\"\"";
  return text + "}";
}

// `[one,one,…]` of about `kBody` bytes, at most `most`.
std::string many(const std::string& one, std::size_t most) {
  std::string text = "[" + one;
  for (std::size_t count = 1; count < most && text.size() + one.size() + 2 < kBody; ++count)
    text.append(",").append(one);
  return text + "]";
}

std::string execution(const std::string& more) {
  return R"({"executionId":"e","exchangeId":"x","routeId":"r","status":"C","startTime":)" + kTime + "," + more + "}";
}

std::string step(const std::string& more = "") {
  return R"({"processorId":"p","processorType":"t","status":"C","startTime":)" + kTime + more + "}";
}

std::string all_maps() {
  const auto map = map_of(DecodeRules::max_map_entries);
  return "\"inputHeaders\":" + map + ",\"outputHeaders\":" + map + ",\"attributes\":" + map;
}

// Logs of which no two have a name in common.
std::string logs_of_many_names(const std::string& signal) {
  std::string text = "[";
  for (std::size_t i = 0; text.size() < kBody - 32'000; ++i) {
    if (i > 0) text += ',';
    text += signal + ",\"level\":\"I\",\"mdc\":" + map_of(1000, i * 1000) + "}";
  }
  return text + "]";
}

struct Wide {
  const char* what;
  DataKind kind;
  std::string body;
};

std::vector<Wide> widest() {
  const auto map = map_of(DecodeRules::max_map_entries);
  const auto values = "\"unknown\":" + many("1", kBody);
  const auto signal = R"({"timestamp":)" + kTime;
  const auto deep =
      repeated(step().substr(0, step().size() - 1) + ",\"children\":[", 490) + step() + repeated("]}", 490);
  return {
      {"executions with maps", DataKind::executions, many(execution(all_maps()), DecodeRules::max_elements)},
      {"processors", DataKind::executions,
       execution("\"processorExecutions\":" + many(step(), DecodeRules::max_processors))},
      {"processors with maps", DataKind::executions,
       execution("\"processorExecutions\":" + many(step("," + all_maps()), DecodeRules::max_processors))},
      {"parts", DataKind::chunks,
       many("{\"exchange\":" + execution(all_maps()) + ",\"chunkSeq\":0}", DecodeRules::max_elements)},
      {"logs", DataKind::logs, many(signal + ",\"level\":\"I\",\"mdc\":" + map + "}", DecodeRules::max_elements)},
      {"logs of many names", DataKind::logs, logs_of_many_names(signal)},
      {"metrics", DataKind::metrics,
       many(signal + ",\"metricName\":\"m\",\"value\":1,\"tags\":" + map + "}", DecodeRules::max_elements)},
      {"events", DataKind::events,
       many(signal + ",\"type\":\"t\",\"detail\":{\"a\":\"" + std::string(60'000, 'd') + "\"}}",
            DecodeRules::max_elements)},
      {"diagrams", DataKind::diagrams,
       many("{\"routeId\":\"r\",\"nodes\":[\"" + std::string(1'000'000, 'n') + "\"]}", DecodeRules::max_diagrams)},
      {"values that nobody reads", DataKind::executions, execution(values)},
      {"values that nobody reads in a log", DataKind::logs, signal + ",\"level\":\"I\"," + values + "}"},
      {"a text that is all escapes", DataKind::executions,
       execution("\"inputBody\":\"" + repeated("\\n", kBody / 2) + "\"")},
      {"the deepest nesting", DataKind::executions, execution("\"processorExecutions\":[" + deep + "]")},
  };
}

}  // namespace

TEST_CASE("no request takes more memory to decode than so many times its size") {
  for (const auto& wide : widest()) {
    CAPTURE(wide.what, wide.body.size());
    auto body = wide.body;
    const auto before = held.load();
    peak = before;
    const auto decoded = info_of(wide.kind).decode(std::move(body), rules(), context());
    const auto most = peak - before;
    CAPTURE(decoded ? "" : decoded.error().message);
    REQUIRE(decoded.has_value());
    CHECK(most <= 24 * kBody);
  }
}
