#pragma once
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// Pieces of the Native format, kept encoded while a column is filled.
namespace cameleer::clickhouse {

inline void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

template <class Number>
void put_fixed(std::string& out, Number value) {
  static_assert(std::endian::native == std::endian::little);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

inline void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out.append(text);
}

/// Strings of a plain String column.
class PlainTexts {
 public:
  void add(std::string_view text) { put_text(bytes_, text); }
  [[nodiscard]] std::size_t bytes() const { return bytes_.size(); }
  void encode_prefix(std::string&) const {}
  void encode(std::string& out) const { out.append(bytes_); }

 private:
  std::string bytes_;
};

/// Strings of a LowCardinality(String) column: each different one once, and an index a row. Reference: ClickHouse
/// SerializationLowCardinality (version 1, additional keys, no global dictionary).
class DictionaryTexts {
 public:
  void add(std::string_view text) {
    if (!indexes_.empty() && text == key_at(indexes_.back())) {
      indexes_.push_back(indexes_.back());
      return;
    }
    if (const auto found = known_.find(text); found != known_.end()) {
      indexes_.push_back(*found);
      return;
    }
    const auto index = static_cast<std::uint32_t>(keys_->entries.size());
    put_varint(keys_->bytes, text.size());
    keys_->entries.push_back({keys_->bytes.size(), text.size()});
    keys_->bytes.append(text);
    known_.insert(index);
    indexes_.push_back(index);
  }
  [[nodiscard]] std::size_t bytes() const { return keys_->bytes.size() + indexes_.size() * width() + 40; }
  void encode_prefix(std::string& out) const { put_fixed<std::uint64_t>(out, 1); }
  void encode(std::string& out) const;

 private:
  struct Entry {
    std::size_t offset, size;
  };
  struct Keys {
    std::string bytes;
    std::vector<Entry> entries;
    [[nodiscard]] std::string_view at(std::uint32_t index) const {
      return std::string_view(bytes).substr(entries[index].offset, entries[index].size);
    }
  };
  /// Looks keys up by their text although the set holds indexes only.
  struct Hash {
    using is_transparent = void;
    const Keys* keys;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    std::size_t operator()(std::uint32_t index) const { return (*this)(keys->at(index)); }
  };
  struct Equal {
    using is_transparent = void;
    const Keys* keys;
    bool operator()(std::uint32_t a, std::uint32_t b) const { return a == b; }
    bool operator()(std::uint32_t a, std::string_view b) const { return keys->at(a) == b; }
    bool operator()(std::string_view a, std::uint32_t b) const { return keys->at(b) == a; }
  };

  [[nodiscard]] std::string_view key_at(std::uint32_t index) const { return keys_->at(index); }
  [[nodiscard]] std::size_t width() const {
    const auto count = keys_->entries.size();
    return count <= 0x100 ? 1 : count <= 0x10000 ? 2 : 4;
  }
  template <class Index>
  void encode_indexes(std::string& out) const;

  std::unique_ptr<Keys> keys_ = std::make_unique<Keys>();  // at a fixed address, for the set below
  boost::unordered_flat_set<std::uint32_t, Hash, Equal> known_{0, Hash{keys_.get()}, Equal{keys_.get()}};
  std::vector<std::uint32_t> indexes_;
};

}  // namespace cameleer::clickhouse
