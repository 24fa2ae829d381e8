#include "cameleer/journal/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <lmdb.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace cameleer::journal {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::string_view kFormat = "1";

// Keys sort as the ids do: big-endian, the note behind it.
std::string key_of(std::uint64_t id, std::string_view note = {}) {
  std::string key(sizeof(id), '\0');
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<char>(id >> (56 - 8 * i));
  return key.append(note);
}

std::uint64_t id_of(const MDB_val& key) {
  const auto* bytes = static_cast<const unsigned char*>(key.mv_data);
  std::uint64_t id = 0;
  for (std::size_t i = 0; i < 8 && i < key.mv_size; ++i) id = id << 8 | bytes[i];
  return id;
}

std::string_view view_of(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

std::uint64_t size_of(const Record& record) {
  std::uint64_t size = 0;
  for (const auto piece : record.pieces) size += piece.size();
  return size;
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

struct CloseCursor {
  void operator()(MDB_cursor* cursor) const { mdb_cursor_close(cursor); }
};
using Cursor = std::unique_ptr<MDB_cursor, CloseCursor>;

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

// Whether the file that was locked is still the one of that name: who removes a journal takes its lock along.
bool is_file(int descriptor, const std::filesystem::path& path) {
  struct stat open{}, named{};
  return fstat(descriptor, &open) == 0 && stat(path.c_str(), &named) == 0 && open.st_ino == named.st_ino &&
         open.st_dev == named.st_dev;
}

Lock lock_in(const std::filesystem::path& directory) {
  const auto path = directory / "lock";
  for (int attempt = 0; attempt < 3; ++attempt) {
    std::error_code made;
    std::filesystem::create_directories(directory, made);
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0 && errno == ENOENT) continue;
    if (descriptor < 0) return {};
    Lock lock(descriptor);
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) return {};
    if (is_file(descriptor, path)) return lock;
  }
  errno = EWOULDBLOCK;
  return {};
}

// A file that is synced may still have no name after a loss of power.
void sync_directory(const std::filesystem::path& directory) {
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

// Pages that were given up before their commit are never written; where they are the last ones, the file is shorter.
int check_free(MDB_env* environment, std::size_t first, std::size_t last) {
  constexpr MDB_dbi kFreePages = 0;
  const Transaction transaction(environment, MDB_RDONLY);
  MDB_cursor* made = nullptr;
  if (const int code = mdb_cursor_open(transaction.get(), kFreePages, &made); code != 0) return code;
  const Cursor cursor(made);
  std::ptrdiff_t found = 0;
  MDB_val key{}, value{};
  int code = mdb_cursor_get(cursor.get(), &key, &value, MDB_FIRST);
  for (; code == 0; code = mdb_cursor_get(cursor.get(), &key, &value, MDB_NEXT)) {
    // How many they are stands before them.
    const std::span pages(static_cast<const std::size_t*>(value.mv_data), value.mv_size / sizeof(std::size_t));
    const auto begin = pages.empty() ? pages.end() : pages.begin() + 1;
    found += std::count_if(begin, pages.end(), [&](auto page) { return page >= first && page <= last; });
  }
  if (code != MDB_NOTFOUND) return code;
  return found == static_cast<std::ptrdiff_t>(last - first + 1) ? 0 : MDB_CORRUPTED;
}

// Who reads a page that a file should have and has not is ended (SIGBUS): a file that was cut off is refused before.
int check_length(MDB_env* environment) {
  MDB_envinfo info{};
  MDB_stat pages{};
  int file = -1;
  if (const int code = mdb_env_info(environment, &info); code != 0) return code;
  if (const int code = mdb_env_stat(environment, &pages); code != 0) return code;
  if (const int code = mdb_env_get_fd(environment, &file); code != 0) return code;
  struct stat present{};
  if (fstat(file, &present) != 0) return errno;
  const auto first = static_cast<std::size_t>(present.st_size) / pages.ms_psize;
  if (first > info.me_last_pgno) return 0;
  // To look for what is free is to read pages, too.
  if (ftruncate(file, static_cast<off_t>((info.me_last_pgno + 1) * pages.ms_psize)) != 0) return errno;
  const int code = check_free(environment, first, info.me_last_pgno);
  if (code != 0 && ftruncate(file, present.st_size) != 0) return errno;
  return code;
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
    if (view_of(value) != kFormat) return MDB_VERSION_MISMATCH;
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
    if (const int code = check_length(made); code != 0) return code;
    return open_tables(made, tables);
  }

  // A cursor over the records, within a transaction.
  int open_cursor(const Transaction& transaction, Cursor& cursor) const {
    if (transaction.code() != 0) return transaction.code();
    MDB_cursor* made = nullptr;
    const int code = mdb_cursor_open(transaction.get(), tables.records, &made);
    cursor.reset(made);
    return code;
  }

  template <class See>
  int each(const See& see) {
    const Transaction transaction(environment.get(), MDB_RDONLY);
    Cursor cursor;
    if (const int code = open_cursor(transaction, cursor); code != 0) return code;
    MDB_val key{}, value{};
    int code = mdb_cursor_get(cursor.get(), &key, &value, MDB_FIRST);
    for (; code == 0; code = mdb_cursor_get(cursor.get(), &key, &value, MDB_NEXT)) see(key, value);
    return code == MDB_NOTFOUND ? 0 : code;
  }

  // The key of a record begins with its id; nobody needs to know its note to find it.
  static int find(MDB_cursor* cursor, std::uint64_t id, MDB_val& value) {
    auto bytes = key_of(id);
    MDB_val key{bytes.size(), bytes.data()};
    const int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    return code == 0 && id_of(key) != id ? MDB_NOTFOUND : code;
  }

  int show(std::uint64_t id, const std::function<void(std::string_view)>& see) const {
    const Transaction transaction(environment.get(), MDB_RDONLY);
    Cursor cursor;
    MDB_val value{};
    int code = open_cursor(transaction, cursor);
    if (code == 0) code = find(cursor.get(), id, value);
    if (code == 0) see(view_of(value));
    return code;
  }

  static int put(MDB_cursor* cursor, std::uint64_t id, const Record& record) {
    auto bytes = key_of(id, record.note);
    MDB_val key{bytes.size(), bytes.data()}, value{size_of(record), nullptr};
    const int code = mdb_cursor_put(cursor, &key, &value, MDB_APPEND | MDB_RESERVE);
    if (code != 0) return code;
    auto* at = static_cast<char*>(value.mv_data);
    for (const auto piece : record.pieces) at = std::copy(piece.begin(), piece.end(), at);
    return 0;
  }

  int change(std::span<const Record> added, std::span<const std::uint64_t> removed, std::uint64_t& freed,
             std::uint64_t& gone) {
    Transaction transaction(environment.get(), 0);
    Cursor cursor;
    if (const int code = open_cursor(transaction, cursor); code != 0) return code;
    for (const auto id : removed) {
      MDB_val value{};
      const int found = find(cursor.get(), id, value);
      if (found == MDB_NOTFOUND) continue;
      if (found != 0) return found;
      const auto room = room_of(value.mv_size);
      if (const int code = mdb_cursor_del(cursor.get(), 0); code != 0) return code;
      freed += room;
      ++gone;
    }
    auto id = next_id;
    for (const auto& record : added) {
      if (const int code = put(cursor.get(), id++, record); code != 0) return code;
    }
    cursor.reset();  // before its transaction ends
    return transaction.commit();
  }

  // Ids of this life are not used again, or a removal that is still to come would take another record with it.
  int count() {
    records = bytes = 0;
    return each([this](const MDB_val& key, const MDB_val& value) {
      next_id = std::max(next_id, id_of(key) + 1);
      ++records;
      bytes += room_of(value.mv_size);
    });
  }

  // After a page that it could not write, LMDB wants its environment opened anew. Nobody knows then how far the last
  // commit came, so what is there is counted again.
  int mended(int code) {
    if (code == MDB_PANIC && open() == 0) count();
    return code;
  }
};

// LMDB keeps a large value in pages of its own, with a header in the first.
std::uint64_t room_of(std::uint64_t bytes) {
  return (bytes + 16 + kPage - 1) / kPage * kPage;
}

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Journal::Journal(Journal&&) noexcept = default;
Journal& Journal::operator=(Journal&&) noexcept = default;
Journal::~Journal() = default;

Expected<Journal> Journal::open(std::filesystem::path directory, Options options) {
  const auto refuse = [&](std::string_view why, ErrorCode code = ErrorCode::bad_configuration) {
    return fail(code, fmt::format("The ingest journal {} cannot be used: {}.", directory.string(), why));
  };
  std::error_code made;
  std::filesystem::create_directories(directory, made);
  if (made) return refuse(made.message());
  std::filesystem::permissions(directory, std::filesystem::perms::owner_all, made);
  auto lock = lock_in(directory);
  if (!lock.held() && errno == EWOULDBLOCK) return refuse("another process uses it", ErrorCode::conflict);
  if (!lock.held()) return refuse(std::generic_category().message(errno));

  auto impl = std::make_unique<Impl>(directory, options, std::move(lock));
  if (const int code = impl->open(); code != 0) {
    return refuse(code == MDB_VERSION_MISMATCH ? "it is of another version" : mdb_strerror(code));
  }
  if (const int seen = impl->count(); seen != 0) return refuse(mdb_strerror(seen));
  sync_directory(directory);
  sync_directory(directory.parent_path());
  return Journal(std::move(impl));
}

Expected<std::uint64_t> Journal::commit(std::span<const Record> added, std::span<const std::uint64_t> removed) {
  auto& impl = *impl_;
  if (added.empty() && removed.empty()) return impl.next_id;
  std::uint64_t wanted = 0, freed = 0, gone = 0;
  for (const auto& record : added) wanted += room_of(size_of(record));
  if (!added.empty() && impl.bytes + wanted > impl.options.capacity) return std::unexpected(error_of(MDB_MAP_FULL));
  if (const int code = impl.change(added, removed, freed, gone); code != 0)
    return std::unexpected(error_of(impl.mended(code)));
  const auto first = impl.next_id;
  impl.next_id += added.size();
  impl.records += added.size() - gone;
  impl.bytes += wanted - freed;
  return first;
}

Expected<bool> Journal::read(std::uint64_t id, const std::function<void(std::string_view)>& see) {
  const int code = impl_->show(id, see);
  if (code == MDB_NOTFOUND) return false;
  if (code != 0) return std::unexpected(error_of(impl_->mended(code)));
  return true;
}

Expected<std::vector<Waiting>> Journal::waiting() {
  std::vector<Waiting> all;
  all.reserve(impl_->records);
  const int code = impl_->each([&all](const MDB_val& key, const MDB_val& value) {
    all.push_back(
        {.id = id_of(key),
         .bytes = value.mv_size,
         .note = std::string(view_of(key).substr(std::min<std::size_t>(key.mv_size, sizeof(std::uint64_t))))});
  });
  if (code != 0) return std::unexpected(error_of(impl_->mended(code)));
  return all;
}

void Journal::remove(Journal journal) {
  auto& impl = *journal.impl_;
  if (impl.records > 0) return;
  impl.environment.reset();
  std::error_code ignored;
  for (const auto* file : {"data.mdb", "lock"}) std::filesystem::remove(impl.directory / file, ignored);
  std::filesystem::remove(impl.directory, ignored);
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
