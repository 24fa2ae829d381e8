#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <row_reader.hpp>

using namespace cameleer;
using namespace cameleer::clickhouse;

namespace {

/// Every accessor of every cell. One that throws, because the column is of another type, is not asked again: throwing
/// for every row makes the fuzzer slow.
class Renderer {
 public:
  std::string render(const Row& row, std::size_t columns) {
    out_.clear();
    for (std::size_t i = 0; i < columns; ++i) {
      note(i, 0, [&] { return std::string(row.is_null(i) ? "0" : "1"); });
      note(i, 1, [&] { return std::string(row.text(i)); });
      note(i, 2, [&] { return std::to_string(row.integer(i)); });
      note(i, 3, [&] { return fmt::format("{}", row.number(i)); });
      note(i, 4, [&] { return fmt::format("{}", row.map(i).size()); });
      note(i, 5, [&] {
        std::string all;
        for (const auto& value : row.array(i)) all += value + ",";
        return all;
      });
    }
    return out_;
  }

 private:
  template <class Read>
  void note(std::size_t column, std::size_t accessor, Read read) {
    auto& refused = refused_[column * 6 + accessor];
    if (refused) return;
    try {
      out_ += read();
    } catch (const std::logic_error&) {
      refused = true;
    }
  }

  std::string out_;
  std::array<bool, 16 * 6> refused_{};
};

std::size_t columns_of(std::string_view bytes) {
  ByteCursor cursor{bytes.data(), bytes.data() + bytes.size()};
  std::uint64_t columns = 0;
  return scan_varint(cursor, columns) == Scan::whole ? std::min<std::uint64_t>(columns, 16) : 0;
}

struct Read {
  std::string rows;
  bool good = true;
  bool operator==(const Read&) const = default;
};

Read read(std::string_view bytes, std::size_t fragment) {
  Read result;
  RowReader reader;
  Renderer renderer;
  const auto columns = columns_of(bytes);
  const auto on_row = [&](const Row& row) {
    result.rows += renderer.render(row, columns) + "\n";
    return result.rows.size() < 100'000;
  };
  for (std::size_t at = 0; result.good && at < bytes.size(); at += fragment) {
    result.good = reader.push(bytes.substr(at, fragment), on_row).has_value();
  }
  if (result.good) result.good = reader.finish(on_row).has_value();
  return result;
}

}  // namespace

/// The bytes whole and in pieces give the same rows and the same verdict.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (read(bytes, bytes.size()) != read(bytes, data[0] % 16 + 1)) std::abort();
  return 0;
}
