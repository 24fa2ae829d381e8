#include "row_reader.hpp"

namespace cameleer::clickhouse {
namespace {

constexpr std::size_t kMaxRow = 64u << 20;
constexpr std::size_t kMaxColumns = 10'000;
constexpr std::size_t kMaxName = std::size_t{64} * 1024;
constexpr std::size_t kLargeRow = 1u << 20;

std::unexpected<Error> malformed() {
  return fail(ErrorCode::upstream_error, "The answer of ClickHouse is not RowBinaryWithNamesAndTypes.");
}

}  // namespace

ByteCursor RowReader::cursor() const {
  return {buffer_.data() + position_, buffer_.data() + buffer_.size()};
}

void RowReader::advance_to(const ByteCursor& cursor) {
  position_ = static_cast<std::size_t>(cursor.at - buffer_.data());
  wanted_ = 0;
}

/// Names, then types; tried again from its start until all of it is there.
Expected<Scan> RowReader::read_header() {
  auto at = cursor();
  std::uint64_t count = 0;
  if (const auto scan = scan_varint(at, count); scan != Scan::whole) return scan;
  if (count == 0 || count > kMaxColumns) return Scan::malformed;
  std::vector<std::string_view> texts(2 * count);
  for (auto& text : texts) {
    if (const auto scan = scan_text(at, kMaxName, text); scan != Scan::whole) return scan;
  }
  for (std::size_t i = 0; i < count; ++i) {
    auto type = parse_column_type(texts[count + i]);
    if (!type) return std::unexpected(std::move(type.error()));
    columns_.push_back({std::string(texts[i]), std::move(*type)});
  }
  row_.emplace(columns_);
  stage_ = Stage::rows;
  advance_to(at);
  return Scan::whole;
}

Expected<Scan> RowReader::read_row(const OnRow& on_row) {
  auto at = cursor();
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const char* start = at.at;
    if (const auto scan = scan_value(columns_[i].type, at, kMaxRow); scan != Scan::whole) {
      const auto have = static_cast<std::size_t>(at.end - buffer_.data()) - position_;
      wanted_ = have + std::max<std::size_t>(at.missing, 1);
      // A large row of many small values is not looked through again for every fragment.
      if (have > kLargeRow) wanted_ = std::max(wanted_, have + have / 2);
      return scan;
    }
    row_->set(i, {start, static_cast<std::size_t>(at.at - start)});
  }
  if (at.at == buffer_.data() + position_) return Scan::malformed;  // rows without bytes would never end
  stopped_ = !on_row(*row_);
  row_->clear_texts();
  advance_to(at);
  return Scan::whole;
}

Expected<RowReader::Progress> RowReader::read_all(const OnRow& on_row) {
  while (!stopped_ && position_ < buffer_.size()) {
    auto scan = stage_ == Stage::rows ? read_row(on_row) : read_header();
    if (!scan) return std::unexpected(std::move(scan.error()));
    if (*scan == Scan::malformed) return malformed();
    if (*scan == Scan::whole) continue;
    if (buffer_.size() - position_ > (stage_ == Stage::rows ? kMaxRow : 2 * kMaxRow)) return malformed();
    break;
  }
  return stopped_ ? Progress::stopped : Progress::more;
}

Expected<RowReader::Progress> RowReader::push(std::string_view fragment, const OnRow& on_row) {
  if (stopped_) return Progress::stopped;
  buffer_.erase(0, position_);
  position_ = 0;
  buffer_.append(fragment);
  if (buffer_.size() < wanted_ && buffer_.size() <= kMaxRow) return Progress::more;
  return read_all(on_row);
}

Expected<RowReader::Progress> RowReader::finish(const OnRow& on_row) {
  auto progress = read_all(on_row);
  if (!progress || stopped_) return progress;
  if (position_ < buffer_.size()) {
    return fail(ErrorCode::upstream_error, "The answer of ClickHouse ends in the middle of a row.");
  }
  return progress;
}

}  // namespace cameleer::clickhouse
