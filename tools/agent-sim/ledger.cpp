#include "agent-sim/ledger.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <system_error>

namespace cameleer::sim {
namespace {

constexpr std::string_view kMagic = "ledger/1";
constexpr std::size_t kMaxRecords = 1'000'000;

std::string closed(std::string line) {
  const auto sum = checksum_of(line);
  return line + fmt::format(" {:016x}\n", sum);
}

template <class Number>
bool read_number(std::string_view text, Number& into, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

std::string_view take_until(std::string_view& rest, char separator) {
  const auto at = rest.find(separator);
  const auto word = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return word;
}

std::unexpected<Error> wrong(std::string_view what) {
  return fail(ErrorCode::malformed_body, fmt::format("This is no line of a ledger: {}.", what));
}

bool read_record(std::string_view word, Record& into) {
  const auto id = take_until(word, ':'), start = take_until(word, ':'), status = take_until(word, ':'),
             processors = take_until(word, ':');
  std::int64_t milliseconds = 0;
  if (id.size() != kIdCharacters || !read_number(id.substr(0, 16), into.id.high, 16) ||
      !read_number(id.substr(16), into.id.low, 16) || !read_number(start, milliseconds, 10) || status.size() != 1 ||
      !read_number(processors, into.processors, 10) || !read_number(word, into.checksum, 16)) {
    return false;
  }
  into.start = instant_of(milliseconds);
  into.status = status.front();
  return true;
}

Expected<LedgerEntry> read_header(std::string_view rest) {
  LedgerEntry entry{LedgerLine::header, {}, {}};
  while (!rest.empty()) {
    auto value = take_until(rest, ' ');
    const auto name = take_until(value, '=');
    if (name == "seed" && !read_number(value, entry.header.seed, 10)) return wrong("its seed is no number");
    if (name == "environment") entry.header.environment = value;
    if (name == "agents") entry.header.agents = value;
  }
  return entry;
}

}  // namespace

std::string format_header(const LedgerHeader& header) {
  return closed(
      fmt::format("{} seed={} environment={} agents={}", kMagic, header.seed, header.environment, header.agents));
}

std::string format_records(LedgerLine kind, std::span<const Record> records) {
  std::string line = kind == LedgerLine::acknowledged ? "ok" : "unknown";
  line.reserve(line.size() + records.size() * 72);
  for (const auto& record : records) {
    fmt::format_to(std::back_inserter(line), " {:016x}{:016x}:{}:{}:{}:{:x}", record.id.high, record.id.low,
                   milliseconds_of(record.start), record.status, record.processors, record.checksum);
  }
  return closed(std::move(line));
}

std::string format_end() {
  return closed("end");
}

Expected<LedgerEntry> parse_ledger_line(std::string_view line) {
  const auto last = line.rfind(' ');
  if (last == std::string_view::npos) return wrong("it has no checksum");
  std::uint64_t sum = 0;
  if (!read_number(line.substr(last + 1), sum, 16)) return wrong("it has no checksum");
  line = line.substr(0, last);
  if (checksum_of(line) != sum) return wrong("its checksum is another");
  const auto word = take_until(line, ' ');
  if (word == kMagic) return read_header(line);
  if (word == "end") return LedgerEntry{};
  if (word != "ok" && word != "unknown") return wrong("its first word is not known");
  LedgerEntry entry{word == "ok" ? LedgerLine::acknowledged : LedgerLine::unknown, {}, {}};
  while (!line.empty()) {
    if (entry.records.size() == kMaxRecords) return wrong("it is too long");
    Record record;
    if (!read_record(take_until(line, ' '), record)) return wrong("an execution in it is malformed");
    entry.records.push_back(record);
  }
  return entry;
}

Expected<LedgerWriter> LedgerWriter::create(const std::string& path, const LedgerHeader& header) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    return fail(ErrorCode::conflict,
                fmt::format("Cannot make the ledger {}: {}.", path, std::generic_category().message(errno)), "ledger");
  }
  LedgerWriter writer(descriptor);
  if (auto written = writer.write(format_header(header)); !written) return std::unexpected(written.error());
  return writer;
}

LedgerWriter::LedgerWriter(LedgerWriter&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

LedgerWriter::~LedgerWriter() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Expected<void> LedgerWriter::acknowledged(std::span<const Record> records) {
  return write(format_records(LedgerLine::acknowledged, records));
}

Expected<void> LedgerWriter::unknown(std::span<const Record> records) {
  return write(format_records(LedgerLine::unknown, records));
}

Expected<void> LedgerWriter::end() {
  return write(format_end());
}

Expected<void> LedgerWriter::write(const std::string& line) {
  std::string_view rest = line;
  while (!rest.empty()) {
    const auto written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      return fail(ErrorCode::internal,
                  fmt::format("Cannot write the ledger: {}.", std::generic_category().message(errno)), "ledger");
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Expected<LedgerSummary> read_ledger(const std::string& path, const std::function<void(const LedgerEntry&)>& take) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::not_found, fmt::format("Cannot read the ledger {}.", path), "ledger");
  LedgerSummary summary;
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    auto entry = parse_ledger_line(line);
    // getline meets the end of the file only when the line feed is missing: the line was being written.
    if (file.eof()) {
      summary.torn = true;
      break;
    }
    if (!entry || (number == 1) != (entry->kind == LedgerLine::header)) {
      return fail(ErrorCode::malformed_body, fmt::format("{}, line {}, is not what a ledger has there.", path, number),
                  "ledger");
    }
    if (number == 1) summary.header = entry->header;
    if (entry->kind == LedgerLine::end) summary.ended = true;
    take(*entry);
  }
  return summary;
}

}  // namespace cameleer::sim
