#pragma once
#include <boost/json/object.hpp>
#include <cameleer/async/task.hpp>
#include <cameleer/core/error.hpp>
#include <cameleer/core/instant.hpp>
#include <functional>
#include <string>
#include <vector>

namespace cameleer::server {

/// Something that an operator should look at although the server is ready. Readiness shows it to whoever asks: no names
/// of people or environments, no addresses, no words of an engine.
struct HealthWarning {
  std::string code;    ///< `journal_filling`; the same for the same thing
  std::string detail;  ///< a sentence
  std::optional<Instant> since = {};
};

/// Whether the server can do its work: asks each dependency every two seconds, so that readiness answers at once and a
/// storm of probes costs the dependencies nothing. I/O thread only.
class Health {
 public:
  using Probe = std::function<async::Task<Expected<void>>()>;
  struct Dependency {
    std::string name;
    Probe probe;
    bool up = false;
    std::optional<Instant> since = {};     ///< when it became so; none: not asked yet
    std::string detail = "not asked yet";  ///< for whoever asks: without the address that was tried
  };
  /// Hears of a dependency that came or went, and why: for the log.
  using Observer = std::function<void(const Dependency&, const Error* reason)>;
  using Warnings = std::function<std::vector<HealthWarning>()>;
  using Part = std::function<boost::json::object()>;

  explicit Health(Clock clock) : clock_(std::move(clock)) {}

  void watch(std::string name, Probe probe);
  /// Adds a source of warnings, asked whenever readiness is; it must answer from memory. None makes the server unready.
  void warn_of(Warnings source) { warnings_.push_back(std::move(source)); }
  /// Shows the state of a part of the server as a member of this name, in the same way.
  void show(std::string name, Part part) { parts_.emplace_back(std::move(name), std::move(part)); }
  void on_change(Observer observer) { observer_ = std::move(observer); }

  /// Probes for ever; spawn once per server.
  async::Task<> run();
  /// Until then readiness says DOWN with detail `starting`.
  void started() { started_ = true; }
  [[nodiscard]] bool ready() const;
  [[nodiscard]] const std::vector<Dependency>& dependencies() const { return dependencies_; }
  [[nodiscard]] std::vector<HealthWarning> warnings() const;
  /// The body of `/health/ready`.
  [[nodiscard]] std::string render() const;

 private:
  void note(Dependency& dependency, const Expected<void>& answer);

  Clock clock_;
  std::vector<Dependency> dependencies_;
  std::vector<Warnings> warnings_;
  std::vector<std::pair<std::string, Part>> parts_;
  Observer observer_;
  bool started_ = false;
};

}  // namespace cameleer::server
