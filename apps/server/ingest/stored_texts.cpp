#include "server/ingest/stored_texts.hpp"

namespace cameleer::server {

std::string_view StoredTexts::cut(std::string_view member, std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  truncated_.push_back(member);
  return text.substr(0, most);
}

void StoredTexts::body(std::string_view member, std::string_view value, std::size_t most, std::size_t row,
                       clickhouse::Texts& column) {
  if (value.empty()) return;
  const auto masked = masker_.masked(value);
  put(column, row, cut(member, masked ? std::string_view(*masked) : value, most));
}

void StoredTexts::body(std::string_view member, std::string_view value, std::size_t row, clickhouse::Texts& column,
                       clickhouse::Numbers<std::int64_t>& size) {
  if (value.data() == nullptr) return;
  put(size, row, static_cast<std::int64_t>(value.size()));
  body(member, value, most_, row, column);
}

void StoredTexts::map(std::string_view member, const MapView& value, std::size_t row, clickhouse::Lists& column) {
  if (value.empty()) return;
  column.pad(row);
  std::size_t used = 0;
  value.each([&](std::string_view name, std::string_view text) {
    const auto shown = masker_.is_secret(name) ? masked_value : text;
    used += name.size() + shown.size();
    if (used > most_) return truncated_.push_back(member), false;
    return column.add(name, shown), true;
  });
  column.end_row();
}

void StoredTexts::end_row(std::size_t row, clickhouse::Lists& truncated) {
  if (truncated_.empty()) return;
  truncated.pad(row);
  for (const auto member : truncated_) truncated.add(member);
  truncated.end_row();
  truncated_.clear();
}

}  // namespace cameleer::server
