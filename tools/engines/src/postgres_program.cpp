#include "postgres_program.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <filesystem>
#include <fstream>

#include "postgres_leftovers.hpp"

namespace cameleer::engines {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr std::string_view major_version = "15";

/// Small memory; everything local. Rewritten at every start, so that it is this program's and nobody's edit.
constexpr std::string_view configuration = R"(# Written by Cameleer at every start: changes here are lost.
listen_addresses = ''
port = 5432
unix_socket_permissions = 0700
max_connections = 40
superuser_reserved_connections = 1
shared_buffers = 48MB
work_mem = 4MB
maintenance_work_mem = 32MB
effective_cache_size = 256MB
max_worker_processes = 2
max_parallel_workers_per_gather = 0
wal_level = minimal
max_wal_senders = 0
max_replication_slots = 0
max_logical_replication_workers = 0
min_wal_size = 32MB
max_wal_size = 256MB
jit = off
huge_pages = off
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
log_destination = 'stderr'
logging_collector = off
log_line_prefix = ''
log_min_messages = warning
log_checkpoints = off
)";

std::string conninfo_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') result.push_back('\\');
    result.push_back(c);
  }
  return result + "'";
}

std::string quoted_setting(std::string_view text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? "''" : std::string(1, c);
  return result + "'";
}

bool tells_failure(std::string_view line) {
  return line.contains("FATAL:") || line.contains("PANIC:") || line.contains("ERROR:") || line.contains("error:");
}

/// `backend> 2026-… FATAL:  text` → `text`.
std::string without_prefix(std::string_view line) {
  for (const std::string_view mark : {"FATAL:", "PANIC:", "ERROR:", "error:"}) {
    const auto at = line.find(mark);
    if (at == std::string_view::npos) continue;
    line.remove_prefix(at + mark.size());
    break;
  }
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return std::string(line);
}

}  // namespace

Expected<void> PostgresProgram::set_up() {
  owner_ = own_user();
  if (owner_.uid == 0) {
    auto found = find_user(options_.run_as);
    if (!found) return std::unexpected(found.error());
    if (found->uid == 0)
      return fail(ErrorCode::bad_configuration, "PostgreSQL does not run as root: name another user.");
    owner_ = *found;
  }
  for (const std::string_view program : {"initdb", "postgres"}) {
    const std::string path = fmt::format("{}/{}", options_.bin_dir, program);
    if (access(path.c_str(), X_OK) != 0) {
      return fail(
          ErrorCode::bad_configuration,
          fmt::format("{} is not there or cannot be run: the package postgresql-{} brings it.", path, major_version));
    }
  }
  socket_dir_ = socket_directory(options_.data_dir);
  return {};
}

std::string PostgresProgram::conninfo() const {
  return fmt::format("host={} port=5432 dbname=cameleer user=cameleer password={}", conninfo_quoted(socket_dir_),
                     password_);
}

Command PostgresProgram::as_owner(std::vector<std::string> arguments, std::string_view signal) const {
  std::vector<std::string> all{"/usr/bin/setpriv"};
  if (geteuid() == 0) {
    all.insert(all.end(),
               {"--reuid", fmt::format("{}", owner_.uid), "--regid", fmt::format("{}", owner_.gid), "--clear-groups"});
  }
  // The shell looks whether this process died before setpriv asked for the signal.
  all.insert(all.end(), {"--pdeathsig", std::string(signal), "--", "/bin/sh", "-c",
                         R"([ "$PPID" = "$1" ] || exit 1; shift; exec "$@")", "sh", fmt::format("{}", getpid())});
  all.insert(all.end(), std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end()));
  return {std::move(all), {"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=" + options_.data_dir}, {}};
}

async::Task<Expected<void>> PostgresProgram::prepare(const bool& stopping) {
  if (auto directory = make_private_directory(options_.data_dir, owner_); !directory) co_return directory;
  if (auto taken = co_await take_directory(stopping); !taken) co_return taken;
  if (auto space = check_free_space(options_.data_dir, 128ULL << 20U); !space) co_return space;
  if (auto sockets = make_private_directory(socket_dir_, owner_); !sockets) co_return sockets;
  if (!fs::exists(cluster() + "/PG_VERSION")) {
    if (auto made = co_await make_cluster(); !made) co_return made;
  }
  const std::string version = read_first_line(cluster() + "/PG_VERSION");
  if (version != major_version) {
    co_return fail(ErrorCode::bad_configuration,
                   fmt::format("{} holds a cluster of PostgreSQL {}; this program runs version {}.", cluster(), version,
                               major_version));
  }
  password_ = read_first_line(password_file());
  if (password_.empty()) {
    if (auto provisioned = co_await provision(cluster(), false); !provisioned) co_return provisioned;
    password_ = read_first_line(password_file());
  }
  // Nobody runs in the cluster, so these are a dead server's. It would believe a number that now is another program's.
  fs::remove(cluster() + "/postmaster.pid");
  fs::remove(socket_dir_ + "/.s.PGSQL.5432.lock");
  co_return write_configuration();
}

async::Task<Expected<void>> PostgresProgram::take_directory(const bool& stopping) {
  const auto deadline = steady_clock::now() + options_.lock_wait;
  bool asked = false;
  while (!stopping) {
    auto locked = lock_.try_lock(options_.data_dir + "/launcher.lock");
    if (!locked) co_return std::unexpected(locked.error());
    const auto alive = *locked ? processes_in(cluster()) : std::vector<pid_t>();
    if (*locked && alive.empty()) co_return Expected<void>{};
    // Its launcher is dead, for we hold the lock: a server that still runs is an orphan on its way out.
    const pid_t postmaster = postmaster_of(cluster());
    if (*locked && !asked && std::ranges::find(alive, postmaster) != alive.end()) asked = kill(postmaster, SIGINT) == 0;
    if (steady_clock::now() > deadline) {
      co_return fail(
          ErrorCode::unavailable,
          fmt::format("The directory {} is in use by another process: one PostgreSQL a directory.", options_.data_dir));
    }
    co_await async::sleep_for(executor_, 25ms);
  }
  co_return fail(ErrorCode::unavailable, "The start was ended by a stop.");
}

async::Task<Expected<void>> PostgresProgram::remove_unfinished(const std::string& fresh) {
  const auto deadline = steady_clock::now() + 5s;
  while (true) {
    // A child of an initdb that was killed with its launcher may still be writing.
    for (const pid_t pid : processes_in(fresh)) kill(pid, SIGKILL);
    std::error_code failure;
    fs::remove_all(fresh, failure);
    if (!failure) co_return Expected<void>{};
    if (steady_clock::now() > deadline) {
      co_return fail(ErrorCode::bad_configuration, fmt::format("{} cannot be removed: {}.", fresh, failure.message()));
    }
    co_await async::sleep_for(executor_, 25ms);
  }
}

async::Task<Expected<void>> PostgresProgram::make_cluster() {
  // Made aside and renamed: a launcher that is killed here leaves nothing that looks like a cluster.
  const std::string fresh = options_.data_dir + "/cluster.new";
  if (auto removed = co_await remove_unfinished(fresh); !removed) co_return removed;
  std::vector<std::string> arguments{options_.bin_dir + "/initdb",
                                     "-D",
                                     fresh,
                                     "--username=postgres",
                                     "--encoding=UTF8",
                                     "--locale=C.UTF-8",
                                     "--data-checksums",
                                     "--wal-segsize=4",
                                     "--auth-host=scram-sha-256",
                                     "--auth-local=scram-sha-256",
                                     "--no-instructions"};
  // initdb insists on a password with scram; nobody can log in with it, for pg_hba.conf names one other user.
  const std::string superuser_password = options_.data_dir + "/initdb.password";
  if (auto written = write_private_file(superuser_password, random_password() + "\n", owner_); !written)
    co_return written;
  arguments.push_back("--pwfile=" + superuser_password);
  if (!options_.fsync) arguments.emplace_back("--no-sync");
  auto made = co_await run_to_end(as_owner(std::move(arguments), "KILL"), "initdb could not make a cluster");
  fs::remove(superuser_password);
  if (!made) co_return made;
  if (auto provisioned = co_await provision(fresh, true); !provisioned) co_return provisioned;
  std::error_code failure;
  fs::rename(fresh, cluster(), failure);
  if (failure)
    co_return fail(ErrorCode::bad_configuration, fmt::format("{} cannot be renamed: {}.", fresh, failure.message()));
  co_return Expected<void>{};
}

async::Task<Expected<void>> PostgresProgram::provision(const std::string& cluster, bool fresh) {
  const std::string password = random_password();
  Command command =
      as_owner({options_.bin_dir + "/postgres", "--single", "-D", cluster, "-c", "exit_on_error=on", "-c",
                "log_min_error_statement=panic", "-c", "log_line_prefix=", "-c", "max_wal_senders=0", "postgres"},
               "INT");
  // No server runs: single-user mode needs no login, so there is no superuser password to keep.
  command.input =
      fresh
          ? fmt::format("CREATE ROLE cameleer LOGIN PASSWORD '{}'\nCREATE DATABASE cameleer OWNER cameleer\n", password)
          : fmt::format("ALTER ROLE cameleer PASSWORD '{}'\n", password);
  if (auto done = co_await run_to_end(std::move(command), "The role cameleer cannot be made"); !done) co_return done;
  co_return write_private_file(password_file(), password + "\n", own_user());
}

async::Task<Expected<void>> PostgresProgram::run_to_end(Command command, std::string_view purpose) {
  auto child = Process::spawn(executor_, command);
  if (!child) co_return std::unexpected(child.error());
  std::string output;
  std::array<char, 4096> buffer{};
  while (true) {
    const auto [ec, got] = co_await child->output().async_read_some(boost::asio::buffer(buffer), async::as_result);
    output.append(buffer.data(), got);
    if (output.size() > 65536) output.erase(0, output.size() - 65536);
    if (ec) break;
  }
  if (!co_await child->wait(30s)) co_return fail(ErrorCode::unavailable, fmt::format("{} within 30 s.", purpose));
  if (child->succeeded()) co_return Expected<void>{};
  std::string reason = child->end();
  std::string_view rest = output;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (options_.on_log_line && !line.empty()) options_.on_log_line(name(), line);
    if (tells_failure(line)) reason = without_prefix(line);
  }
  co_return fail(ErrorCode::unavailable, fmt::format("{} in {}: {}", purpose, options_.data_dir, reason));
}

Expected<void> PostgresProgram::write_configuration() const {
  std::string text(configuration);
  text += fmt::format("unix_socket_directories = {}\n", quoted_setting(socket_dir_));
  if (!options_.fsync) text += "fsync = off\nfull_page_writes = off\n";
  if (auto written = write_private_file(cluster() + "/postgresql.conf", text, owner_); !written) return written;
  return write_private_file(cluster() + "/pg_hba.conf", "local cameleer cameleer scram-sha-256\n", owner_);
}

Command PostgresProgram::command() {
  return as_owner({options_.bin_dir + "/postgres", "-D", cluster()}, "INT");
}

bool PostgresProgram::is_ready(pid_t pid) {
  std::ifstream in(cluster() + "/postmaster.pid");
  std::string line;
  if (!std::getline(in, line) || line != fmt::format("{}", pid)) return false;
  for (int number = 2; number <= 8; ++number) {
    if (!std::getline(in, line)) return false;
  }
  return line.starts_with("ready");
}

std::string PostgresProgram::reason_in(const Lines& last) const {
  std::string reason;
  for (const std::string& line : last) {
    if (line.contains("FATAL:") || line.contains("PANIC:")) reason = without_prefix(line);
  }
  return reason;
}

int PostgresProgram::stop_signal() const {
  return SIGINT;
}

EmbeddedPostgres::EmbeddedPostgres(async::Executor executor, PostgresOptions options) {
  LogSink sink = options.on_log_line;
  program_ = std::make_shared<PostgresProgram>(executor, std::move(options));
  supervisor_ = std::make_shared<Supervisor>(executor, program_, std::move(sink));
}

EmbeddedPostgres::~EmbeddedPostgres() {
  supervisor_->abandon();
}

async::Task<Expected<std::string>> EmbeddedPostgres::start() {
  if (auto ready = program_->set_up(); !ready) co_return std::unexpected(ready.error());
  if (auto started = co_await supervisor_->start(); !started) {
    if (supervisor_->status().state != EngineState::running) program_->release();
    co_return std::unexpected(started.error());
  }
  co_return program_->conninfo();
}

async::Task<> EmbeddedPostgres::stop() {
  co_await supervisor_->stop();
  program_->release();
}

EngineStatus EmbeddedPostgres::status() const {
  return supervisor_->status();
}

}  // namespace cameleer::engines
