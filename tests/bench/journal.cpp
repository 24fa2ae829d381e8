// What a durable commit of the journal costs beside the least that a disk can do for the same bytes: appending them to
// a file and fdatasync. In turns, so that both see the same disk.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cameleer/journal/journal.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <random>

using namespace cameleer;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int kRounds = 5;
constexpr std::size_t kHeld = 32;  // records that wait, as while a store takes them

struct Row {
  std::size_t bytes = 0;
  int commits = 0;
  std::vector<double> ours = {}, theirs = {};  // seconds a round
};

[[noreturn]] void give_up(std::string_view what) {
  std::fputs(fmt::format("{}\n", what).c_str(), stderr);
  std::exit(1);
}

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

double commit_all(journal::Journal& journal, std::deque<std::uint64_t>& held, const std::string& bytes, int commits) {
  const std::vector<journal::Record> added{{.pieces = {bytes}, .note = "twenty bytes of note"}};
  const auto begun = Clock::now();
  for (int i = 0; i < commits; ++i) {
    std::vector<std::uint64_t> removed;
    if (held.size() >= kHeld) {
      removed.push_back(held.front());
      held.pop_front();
    }
    const auto id = journal.commit(added, removed);
    if (!id) give_up(id.error().message);
    held.push_back(*id);
  }
  return seconds_since(begun);
}

double append_all(int file, const std::string& bytes, int commits) {
  const auto begun = Clock::now();
  for (int i = 0; i < commits; ++i) {
    if (write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) || fdatasync(file) != 0) {
      give_up("the file cannot be written");
    }
  }
  return seconds_since(begun);
}

void measure(const std::filesystem::path& folder, Row& row) {
  auto journal = journal::Journal::open(folder / "journal", {.capacity = 1ULL << 30});
  if (!journal) give_up(journal.error().message);
  const auto path = folder / "file";
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) give_up("the file cannot be opened");
  std::string bytes(row.bytes, '\0');
  std::mt19937 dice(7);
  for (auto& byte : bytes) byte = static_cast<char>(dice());
  std::deque<std::uint64_t> held;
  commit_all(*journal, held, bytes, row.commits / 4 + 2);
  append_all(file, bytes, row.commits / 4 + 2);
  for (int round = 0; round < kRounds; ++round) {
    row.ours.push_back(commit_all(*journal, held, bytes, row.commits));
    row.theirs.push_back(append_all(file, bytes, row.commits));
  }
  close(file);
  std::filesystem::remove_all(folder / "journal");
  std::filesystem::remove(path);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) give_up("usage: bench_journal DIRECTORY");
  const std::filesystem::path folder(arguments[1]);
  std::filesystem::create_directories(folder);
  std::fputs(
      "                    journal              append and fdatasync\n"
      "  bytes      commits/s      MB/s      commits/s      MB/s    ratio\n",
      stdout);
  for (Row row : {Row{.bytes = 4u << 10, .commits = 400}, Row{.bytes = 64u << 10, .commits = 300},
                  Row{.bytes = 1u << 20, .commits = 60}, Row{.bytes = 16u << 20, .commits = 6}}) {
    measure(folder, row);
    const auto rate = [&row](const std::vector<double>& times) { return row.commits / median(times); };
    const auto megabytes = [&row](double commits) { return commits * static_cast<double>(row.bytes) / 1e6; };
    const double ours = rate(row.ours), theirs = rate(row.theirs);
    std::fputs(fmt::format("{:>9} {:>13.0f} {:>9.1f} {:>14.0f} {:>9.1f} {:>8.2f}\n", row.bytes, ours, megabytes(ours),
                           theirs, megabytes(theirs), ours / theirs)
                   .c_str(),
               stdout);
  }
  return 0;
}
