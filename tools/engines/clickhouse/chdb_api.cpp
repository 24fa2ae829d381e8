#include "chdb_api.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <charconv>

namespace cameleer::engine {
namespace {

/// Parameters as the four arrays that libchdb takes.
struct ParameterArrays {
  explicit ParameterArrays(const Parameters& parameters) {
    for (const auto& [name, value] : parameters) {
      names.push_back(name.data());
      name_sizes.push_back(name.size());
      values.push_back(value.data());
      value_sizes.push_back(value.size());
    }
  }
  std::vector<const char*> names, values;
  std::vector<std::size_t> name_sizes, value_sizes;
};

template <class Function>
bool resolve(void* library, const char* name, Function& function, std::string& missing) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) missing = name;
  return function != nullptr;
}

}  // namespace

EngineError make_error(int code, std::string_view name, std::string_view message) {
  return {code, fmt::format("Code: {}. DB::Exception: {}. ({})", code, message, name)};
}

EngineError parse_error(std::string_view text) {
  constexpr std::string_view prefix = "Code: ";
  int code = 0;
  if (text.starts_with(prefix) &&
      std::from_chars(text.data() + prefix.size(), text.data() + text.size(), code).ec == std::errc{} && code > 0) {
    return {code, std::string(text)};
  }
  return make_error(1002, "UNKNOWN_EXCEPTION", text);
}

bool is_not_streamable(const EngineError& error) {
  return error.code == 36 && error.text.contains("Streaming query is not supported");
}

std::expected<ChdbApi, std::string> load_chdb(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();  // NOLINT(concurrency-mt-unsafe): glibc keeps a text for each thread
    return std::unexpected(fmt::format("The engine library cannot be loaded: {}.", reason ? reason : path));
  }
  ChdbApi api{};
  std::string missing;
  const bool complete =
      resolve(library, "chdb_version", api.version, missing) &&
      resolve(library, "chdb_set_signal_handlers_enabled", api.set_signal_handlers_enabled, missing) &&
      resolve(library, "chdb_connect", api.connect, missing) &&
      resolve(library, "chdb_close_conn", api.close, missing) &&
      resolve(library, "chdb_query_with_params_n", api.query, missing) &&
      resolve(library, "chdb_stream_query_with_params_n", api.stream, missing) &&
      resolve(library, "chdb_stream_fetch_result", api.fetch, missing) &&
      resolve(library, "chdb_stream_cancel_query", api.cancel, missing) &&
      resolve(library, "chdb_destroy_query_result", api.destroy_result, missing) &&
      resolve(library, "chdb_result_buffer", api.buffer, missing) &&
      resolve(library, "chdb_result_length", api.length, missing) &&
      resolve(library, "chdb_result_error", api.error, missing) &&
      resolve(library, "chdb_result_storage_rows_read", api.storage_rows_read, missing) &&
      resolve(library, "chdb_result_storage_bytes_read", api.storage_bytes_read, missing) &&
      resolve(library, "chdb_result_rows_written", api.rows_written, missing) &&
      resolve(library, "chdb_result_bytes_written", api.bytes_written, missing) &&
      resolve(library, "chdb_stream_insert_with_params_n", api.insert, missing) &&
      resolve(library, "chdb_stream_insert_error", api.insert_error, missing) &&
      resolve(library, "chdb_stream_append", api.append, missing) &&
      resolve(library, "chdb_stream_done", api.done, missing) &&
      resolve(library, "chdb_stream_cancel_insert", api.cancel_insert, missing) &&
      resolve(library, "chdb_destroy_insert_stream", api.destroy_insert, missing) &&
      resolve(library, "chdb_classify_query_n", api.classify, missing);
  if (!complete) {
    return std::unexpected(fmt::format("{} is not a libchdb of version 26.7 or later: it has no {}.", path, missing));
  }
  api.set_signal_handlers_enabled(0);
  return api;
}

std::string_view ChdbBlock::bytes() const {
  if (!handle_ || api_->length(handle_.get()) == 0) return {};
  return {api_->buffer(handle_.get()), api_->length(handle_.get())};
}

bool ChdbBlock::failed() const {
  return !handle_ || api_->error(handle_.get()) != nullptr;
}

EngineError ChdbBlock::error() const {
  return parse_error(handle_ ? std::string_view(api_->error(handle_.get())) : "The engine gave no result.");
}

void ChdbBlock::add_counts(Counts& counts) const {
  counts.read_rows += api_->storage_rows_read(handle_.get());
  counts.read_bytes += api_->storage_bytes_read(handle_.get());
  counts.written_rows += api_->rows_written(handle_.get());
  counts.written_bytes += api_->bytes_written(handle_.get());
}

ChdbStream::ChdbStream(ChdbStream&& other) noexcept
    : api_(other.api_),
      connection_(other.connection_),
      head_(std::move(other.head_)),
      running_(std::exchange(other.running_, false)) {}

ChdbStream::~ChdbStream() {
  if (running_ && head_.get() != nullptr) api_->cancel(connection_, head_.get());
}

Result<ChdbBlock> ChdbStream::next() {
  ChdbBlock block(*api_, api_->fetch(connection_, head_.get()));
  if (block.failed()) {
    running_ = false;
    return std::unexpected(block.error());
  }
  if (block.bytes().empty()) running_ = false;
  return block;
}

bool ChdbInsert::append(std::string_view bytes) {
  return api_->append(handle_.get(), bytes.data(), bytes.size()) == 0;
}

Result<Counts> ChdbInsert::commit() {
  const ChdbBlock result(*api_, api_->done(handle_.get()));
  if (result.failed()) return std::unexpected(result.error());
  Counts counts;
  result.add_counts(counts);
  return counts;
}

void ChdbInsert::cancel() {
  api_->cancel_insert(handle_.get());
}

std::unique_ptr<ChdbConnection> ChdbConnection::open(const ChdbApi& api, const std::vector<std::string>& arguments) {
  std::vector<std::string> copy = arguments;
  std::vector<char*> argv;
  for (std::string& argument : copy) argv.push_back(argument.data());
  ChdbConnectionRef* handle = api.connect(static_cast<int>(argv.size()), argv.data());
  if (handle == nullptr || *handle == nullptr) return nullptr;
  return std::unique_ptr<ChdbConnection>(new ChdbConnection(api, handle));
}

ChdbAnalysis ChdbConnection::classify(std::string_view sql) const {
  ChdbAnalysis analysis{sizeof(ChdbAnalysis), 0, 0, 4};
  if (api_->classify(*handle_, sql.data(), sql.size(), nullptr, 0, &analysis) != 0) return {sizeof analysis, 0, 0, 4};
  return analysis;
}

Result<ChdbBlock> ChdbConnection::query(std::string_view sql, std::string_view format, const Parameters& parameters) {
  const ParameterArrays bound(parameters);
  ChdbBlock block(
      *api_, api_->query(*handle_, sql.data(), sql.size(), format.data(), format.size(), bound.names.data(),
                         bound.name_sizes.data(), bound.values.data(), bound.value_sizes.data(), parameters.size()));
  if (block.failed()) return std::unexpected(block.error());
  return block;
}

Result<ChdbStream> ChdbConnection::stream(std::string_view sql, std::string_view format, const Parameters& parameters) {
  const ParameterArrays bound(parameters);
  ChdbBlock head(
      *api_, api_->stream(*handle_, sql.data(), sql.size(), format.data(), format.size(), bound.names.data(),
                          bound.name_sizes.data(), bound.values.data(), bound.value_sizes.data(), parameters.size()));
  if (head.failed()) return std::unexpected(head.error());
  return ChdbStream(*api_, *handle_, std::move(head));
}

Result<ChdbInsert> ChdbConnection::insert(std::string_view sql, std::string_view format, const Parameters& parameters) {
  const ParameterArrays bound(parameters);
  ChdbInsertRef handle =
      api_->insert(*handle_, sql.data(), sql.size(), format.data(), format.size(), bound.names.data(),
                   bound.name_sizes.data(), bound.values.data(), bound.value_sizes.data(), parameters.size());
  ChdbInsert insert(*api_, handle);
  if (const char* reason = api_->insert_error(handle)) return std::unexpected(parse_error(reason));
  return insert;
}

}  // namespace cameleer::engine
