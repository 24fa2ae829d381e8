#include "cameleer/journal/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <lmdb.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace cameleer::journal {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::string_view kFormat = "1";

// Keys sort as the ids do: big-endian.
std::array<unsigned char, 8> key_of(std::uint64_t id) {
  std::array<unsigned char, 8> key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<unsigned char>(id >> (56 - 8 * i));
  return key;
}

std::uint64_t id_of(const MDB_val& key) {
  const auto* bytes = static_cast<const unsigned char*>(key.mv_data);
  std::uint64_t id = 0;
  for (std::size_t i = 0; i < 8; ++i) id = id << 8 | bytes[i];
  return id;
}

MDB_val value_of(std::span<unsigned char> bytes) {
  return {bytes.size(), bytes.data()};
}

// LMDB keeps a large value in pages of its own, with a header in the first.
std::uint64_t room_of(std::uint64_t bytes) {
  return (bytes + 16 + kPage - 1) / kPage * kPage;
}

Error error_of(int code) {
  if (code == MDB_MAP_FULL || code == MDB_TXN_FULL) {
    return {ErrorCode::overloaded, "The ingest journal is full: the store has not taken its rows for too long."};
  }
  return {ErrorCode::unavailable, fmt::format("The ingest journal cannot be written: {}.", mdb_strerror(code))};
}

// Aborted unless it was committed.
class Transaction {
 public:
  Transaction(MDB_env* environment, unsigned flags) {
    code_ = mdb_txn_begin(environment, nullptr, flags, &transaction_);
  }
  ~Transaction() {
    if (transaction_ != nullptr) mdb_txn_abort(transaction_);
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  [[nodiscard]] int code() const { return code_; }
  [[nodiscard]] MDB_txn* get() const { return transaction_; }
  int commit() { return mdb_txn_commit(std::exchange(transaction_, nullptr)); }

 private:
  MDB_txn* transaction_ = nullptr;
  int code_ = 0;
};

struct CloseEnvironment {
  void operator()(MDB_env* environment) const { mdb_env_close(environment); }
};
using Environment = std::unique_ptr<MDB_env, CloseEnvironment>;

class Lock {
 public:
  Lock() = default;
  explicit Lock(int descriptor) : descriptor_(descriptor) {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  Lock(Lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Lock& operator=(Lock&&) = delete;
  ~Lock() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  [[nodiscard]] bool held() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

Lock lock_in(const std::filesystem::path& directory) {
  const int descriptor = ::open((directory / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return {};
  Lock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) return {};
  return lock;
}

struct Tables {
  MDB_dbi records = 0, about = 0;
};

int open_tables(MDB_env* environment, Tables& tables) {
  Transaction transaction(environment, 0);
  if (transaction.code() != 0) return transaction.code();
  if (const int code = mdb_dbi_open(transaction.get(), "records", MDB_CREATE, &tables.records); code != 0) return code;
  if (const int code = mdb_dbi_open(transaction.get(), "about", MDB_CREATE, &tables.about); code != 0) return code;
  std::string name = "format", format(kFormat);
  MDB_val key{name.size(), name.data()}, value{format.size(), format.data()};
  const int put = mdb_put(transaction.get(), tables.about, &key, &value, MDB_NOOVERWRITE);
  if (put == MDB_KEYEXIST) {
    if (std::string_view(static_cast<const char*>(value.mv_data), value.mv_size) != kFormat)
      return MDB_VERSION_MISMATCH;
  } else if (put != 0) {
    return put;
  }
  return transaction.commit();
}

}  // namespace

struct Journal::Impl {
  std::filesystem::path directory;
  Options options;
  Lock lock;
  Environment environment;
  Tables tables;
  std::uint64_t next_id = 1, records = 0, bytes = 0;

  Impl(std::filesystem::path where, Options chosen, Lock held)
      : directory(std::move(where)), options(chosen), lock(std::move(held)) {}

  int open() {
    environment.reset();
    MDB_env* made = nullptr;
    if (const int code = mdb_env_create(&made); code != 0) return code;
    environment.reset(made);
    mdb_env_set_maxdbs(made, 2);
    // A removal needs pages as well: there must be room for it when the journal is full.
    if (const int code = mdb_env_set_mapsize(made, options.capacity + options.capacity / 4 + (4u << 20)); code != 0) {
      return code;
    }
    // No lock of LMDB's own: `lock` admits one process, and the owner calls one at a time.
    if (const int code = mdb_env_open(made, directory.c_str(), MDB_NOLOCK | MDB_NOTLS | MDB_NORDAHEAD, 0600);
        code != 0) {
      return code;
    }
    return open_tables(made, tables);
  }

  template <class See>
  int each(const See& see) {
    Transaction transaction(environment.get(), MDB_RDONLY);
    if (transaction.code() != 0) return transaction.code();
    MDB_cursor* cursor = nullptr;
    if (const int code = mdb_cursor_open(transaction.get(), tables.records, &cursor); code != 0) return code;
    MDB_val key{}, value{};
    int code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (; code == 0; code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) see(id_of(key), value.mv_size);
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
  }

  int change(std::span<const std::string> added, std::span<const std::uint64_t> removed, std::uint64_t& freed,
             std::uint64_t& gone) {
    Transaction transaction(environment.get(), 0);
    if (transaction.code() != 0) return transaction.code();
    for (const auto id : removed) {
      auto bytes = key_of(id);
      MDB_val key = value_of(bytes), value{};
      const int found = mdb_get(transaction.get(), tables.records, &key, &value);
      if (found == MDB_NOTFOUND) continue;
      if (found != 0) return found;
      const auto room = room_of(value.mv_size);
      if (const int code = mdb_del(transaction.get(), tables.records, &key, nullptr); code != 0) return code;
      freed += room;
      ++gone;
    }
    auto id = next_id;
    for (const auto& record : added) {
      auto bytes = key_of(id++);
      MDB_val key = value_of(bytes), value{record.size(), const_cast<char*>(record.data())};
      if (const int code = mdb_put(transaction.get(), tables.records, &key, &value, MDB_APPEND); code != 0) return code;
    }
    return transaction.commit();
  }

  int count() {
    next_id = 1;
    records = bytes = 0;
    return each([this](std::uint64_t id, std::uint64_t size) {
      next_id = id + 1;
      ++records;
      bytes += room_of(size);
    });
  }

  // After a page that it could not write, LMDB wants its environment opened anew. Nobody knows then how far the last
  // commit came, so what is there is counted again.
  int mended(int code) {
    if (code == MDB_PANIC && open() == 0) count();
    return code;
  }
};

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Journal::Journal(Journal&&) noexcept = default;
Journal& Journal::operator=(Journal&&) noexcept = default;
Journal::~Journal() = default;

Expected<Journal> Journal::open(std::filesystem::path directory, Options options) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("The ingest journal {} cannot be used: {}.", directory.string(), why));
  };
  std::error_code made;
  std::filesystem::create_directories(directory, made);
  if (made) return refuse(made.message());
  std::filesystem::permissions(directory, std::filesystem::perms::owner_all, made);
  auto lock = lock_in(directory);
  if (!lock.held())
    return refuse(errno == EWOULDBLOCK ? "another process uses it" : std::generic_category().message(errno));

  auto impl = std::make_unique<Impl>(directory, options, std::move(lock));
  if (const int code = impl->open(); code != 0) {
    return refuse(code == MDB_VERSION_MISMATCH ? "it is of another version" : mdb_strerror(code));
  }
  if (const int seen = impl->count(); seen != 0) return refuse(mdb_strerror(seen));
  return Journal(std::move(impl));
}

Expected<std::uint64_t> Journal::commit(std::span<const std::string> added, std::span<const std::uint64_t> removed) {
  auto& impl = *impl_;
  if (added.empty() && removed.empty()) return impl.next_id;
  std::uint64_t wanted = 0, freed = 0, gone = 0;
  for (const auto& record : added) wanted += room_of(record.size());
  if (!added.empty() && impl.bytes + wanted > impl.options.capacity) return std::unexpected(error_of(MDB_MAP_FULL));
  if (const int code = impl.change(added, removed, freed, gone); code != 0)
    return std::unexpected(error_of(impl.mended(code)));
  const auto first = impl.next_id;
  impl.next_id += added.size();
  impl.records += added.size() - gone;
  impl.bytes += wanted - freed;
  return first;
}

Expected<std::optional<std::string>> Journal::read(std::uint64_t id) {
  Transaction transaction(impl_->environment.get(), MDB_RDONLY);
  if (transaction.code() != 0) return std::unexpected(error_of(impl_->mended(transaction.code())));
  auto bytes = key_of(id);
  MDB_val key = value_of(bytes), value{};
  const int code = mdb_get(transaction.get(), impl_->tables.records, &key, &value);
  if (code == MDB_NOTFOUND) return std::optional<std::string>();
  if (code != 0) return std::unexpected(error_of(impl_->mended(code)));
  return std::optional<std::string>(std::in_place, static_cast<const char*>(value.mv_data), value.mv_size);
}

Expected<std::vector<Waiting>> Journal::waiting() {
  std::vector<Waiting> all;
  all.reserve(impl_->records);
  const int code = impl_->each([&all](std::uint64_t id, std::uint64_t bytes) { all.push_back({id, bytes}); });
  if (code != 0) return std::unexpected(error_of(impl_->mended(code)));
  return all;
}

std::uint64_t Journal::records() const {
  return impl_->records;
}

std::uint64_t Journal::bytes() const {
  return impl_->bytes;
}

std::uint64_t Journal::capacity() const {
  return impl_->options.capacity;
}

}  // namespace cameleer::journal
