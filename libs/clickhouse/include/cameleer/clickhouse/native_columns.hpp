#pragma once
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Columns of a Native block, kept encoded as far as that goes while they are filled. Cells come from the first row to
/// the last; `pad(row)` gives the rows left out so far the column's default, so that a row costs only what it has.
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

/// String.
class Texts {
 public:
  void add(std::string_view text) {
    put_text(bytes_, text);
    ++rows_;
  }
  void add(std::string_view text, std::size_t times) {
    for (; times > 0; --times) add(text);
  }
  void pad(std::size_t rows) {
    if (rows <= rows_) return;
    bytes_.append(rows - rows_, '\0');
    rows_ = rows;
  }
  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_.size(); }
  void encode_prefix(std::string&) const {}
  void encode(std::string& out) const { out.append(bytes_); }

 private:
  std::string bytes_;
  std::size_t rows_ = 0;
};

/// LowCardinality(String): each different text once, and an index a row. Reference: ClickHouse
/// SerializationLowCardinality (version 1, additional keys, no global dictionary).
class Names {
 public:
  void add(std::string_view text) { indexes_.push_back(index_of(text)); }
  void add(std::string_view text, std::size_t times) {
    if (times > 0) indexes_.insert(indexes_.end(), times, index_of(text));
  }
  void pad(std::size_t rows) {
    if (rows > indexes_.size()) add({}, rows - indexes_.size());
  }
  [[nodiscard]] std::size_t rows() const { return indexes_.size(); }
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
      return {bytes.data() + entries[index].offset, entries[index].size};
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

  std::uint32_t index_of(std::string_view text) {
    if (!indexes_.empty() && text == keys_->at(indexes_.back())) return indexes_.back();
    if (const auto found = known_.find(text); found != known_.end()) return *found;
    const auto index = static_cast<std::uint32_t>(keys_->entries.size());
    put_varint(keys_->bytes, text.size());
    keys_->entries.push_back({keys_->bytes.size(), text.size()});
    keys_->bytes.append(text);
    known_.insert(index);
    return index;
  }
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

/// Numbers, and DateTime64(3) as milliseconds.
template <class T>
class Numbers {
 public:
  using Value = T;
  static constexpr T most = std::numeric_limits<T>::max();

  /// What a row holds that was left out; 0 unless set before the first one.
  void set_default(T value) { default_ = value; }
  void add(T value) { values_.push_back(value); }
  void add(T value, std::size_t times) { values_.insert(values_.end(), times, value); }
  void pad(std::size_t rows) {
    if (rows > values_.size()) values_.resize(rows, default_);
  }
  [[nodiscard]] std::size_t rows() const { return values_.size(); }
  [[nodiscard]] std::size_t bytes() const { return values_.size() * sizeof(T); }
  void encode(std::string& out) const {
    static_assert(std::endian::native == std::endian::little);
    out.append(reinterpret_cast<const char*>(values_.data()), bytes());
  }

 private:
  std::vector<T> values_;
  T default_{};
};

/// Bool.
class Flags : public Numbers<std::uint8_t> {
 public:
  static constexpr std::uint8_t most = 1;
};

/// Array(K) and, with values, Map(K, V), of texts: Native writes a map as an array of pairs.
class Lists {
 public:
  using Cells = std::variant<Texts, Names>;
  explicit Lists(Cells keys, std::optional<Cells> values = std::nullopt)
      : keys_(std::move(keys)), values_(std::move(values)) {}

  [[nodiscard]] bool is_map() const { return values_.has_value(); }
  /// Entries of the row that `end_row` ends. A map needs a value with every key, an array takes none.
  void add(std::string_view key) {
    std::visit([key](auto& cells) { cells.add(key); }, keys_);
    ++entries_;
  }
  void add(std::string_view key, std::string_view value) {
    add(key);
    std::visit([value](auto& cells) { cells.add(value); }, *values_);
  }
  void end_row() { ends_.push_back(entries_); }
  void pad(std::size_t rows) {
    if (rows > ends_.size()) ends_.resize(rows, entries_);
  }
  [[nodiscard]] std::size_t rows() const { return ends_.size(); }
  [[nodiscard]] std::size_t bytes() const;
  void encode(std::string& out) const;

 private:
  Cells keys_;
  std::optional<Cells> values_;
  std::vector<std::uint64_t> ends_;
  std::uint64_t entries_ = 0;
};

}  // namespace cameleer::clickhouse
