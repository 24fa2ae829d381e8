#include <cameleer/clickhouse/native_columns.hpp>

namespace cameleer::clickhouse {

template <class Index>
void Names::encode_indexes(std::string& out) const {
  const auto start = out.size();
  out.resize(start + indexes_.size() * sizeof(Index));
  char* at = out.data() + start;
  for (const std::uint32_t index : indexes_) {
    const auto narrow = static_cast<Index>(index);
    std::memcpy(at, &narrow, sizeof narrow);
    at += sizeof narrow;
  }
}

void Names::encode(std::string& out) const {
  if (indexes_.empty()) return;  // nothing at all, not even an empty dictionary
  constexpr std::uint64_t kAdditionalKeys = 1u << 9;
  constexpr std::uint64_t kUpdateDictionary = 1u << 10;
  const std::uint64_t index_type = width() == 1 ? 0 : width() == 2 ? 1 : 2;
  put_fixed<std::uint64_t>(out, index_type | kAdditionalKeys | kUpdateDictionary);
  put_fixed<std::uint64_t>(out, keys_->entries.size());
  out.append(keys_->bytes);
  put_fixed<std::uint64_t>(out, indexes_.size());
  switch (index_type) {
    case 0:
      return encode_indexes<std::uint8_t>(out);
    case 1:
      return encode_indexes<std::uint16_t>(out);
    default:
      return encode_indexes<std::uint32_t>(out);
  }
}

std::size_t Lists::bytes() const {
  const auto size = [](const Cells& cells) { return std::visit([](const auto& one) { return one.bytes(); }, cells); };
  return ends_.size() * sizeof(std::uint64_t) + size(keys_) + (values_ ? size(*values_) : 0);
}

void Lists::encode(std::string& out) const {
  const auto prefix = [&out](const Cells& cells) {
    std::visit([&out](const auto& one) { one.encode_prefix(out); }, cells);
  };
  const auto content = [&out](const Cells& cells) { std::visit([&out](const auto& one) { one.encode(out); }, cells); };
  // The prefixes of all nested columns come before any of their data.
  prefix(keys_);
  if (values_) prefix(*values_);
  out.append(reinterpret_cast<const char*>(ends_.data()), ends_.size() * sizeof(std::uint64_t));
  content(keys_);
  if (values_) content(*values_);
}

}  // namespace cameleer::clickhouse
