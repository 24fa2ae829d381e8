#pragma once
#include <cameleer/async/task.hpp>
#include <cameleer/core/error.hpp>
#include <functional>
#include <string>
#include <vector>

namespace cameleer::server {

/// Whether the server can do its work: asks each dependency every two seconds, so that readiness answers at once and a
/// storm of probes costs the dependencies nothing.
class Health {
 public:
  using Probe = std::function<async::Task<Expected<void>>()>;
  struct Dependency {
    std::string name;
    Probe probe;
    bool up = false;
    std::string detail = "not asked yet";
  };

  void watch(std::string name, Probe probe);
  /// Probes for ever; spawn once per server.
  async::Task<> run();
  /// Until then readiness says DOWN with detail `starting`.
  void started() { started_ = true; }
  [[nodiscard]] bool ready() const;
  [[nodiscard]] const std::vector<Dependency>& dependencies() const { return dependencies_; }
  /// The body of `/health/ready`.
  [[nodiscard]] std::string render() const;

 private:
  std::vector<Dependency> dependencies_;
  bool started_ = false;
};

}  // namespace cameleer::server
