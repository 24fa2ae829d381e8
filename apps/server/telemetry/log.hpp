#pragma once
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace cameleer::server {

/// Structured log: one JSON object a line on standard output, with `timestamp`, `level`, `event` and the fields given.
/// Lines are written by a thread of its own; when its queue (8,192 lines) is full the oldest are dropped and counted,
/// so that a stuck reader never stops the server. Never give it a secret.
class Log {
 public:
  enum class Level : std::uint8_t { debug, info, warning, error };
  struct Field {
    std::string_view name;
    std::variant<std::string_view, std::int64_t, double, bool> value;
    Field(std::string_view n, std::string_view v) : name(n), value(v) {}
    Field(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
    Field(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
    Field(std::string_view n, bool v) : name(n), value(v) {}
    Field(std::string_view n, double v) : name(n), value(v) {}
    template <class Integer>
      requires std::is_integral_v<Integer>
    Field(std::string_view n, Integer v) : name(n), value(static_cast<std::int64_t>(v)) {}
  };

  explicit Log(Level least);
  ~Log();  ///< writes what waits
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});
  void info(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::info, event, fields); }
  void warning(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::warning, event, fields);
  }
  void error(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::error, event, fields); }
  [[nodiscard]] std::size_t dropped() const;

  static Level level_named(std::string_view name);  ///< a name the settings let through

 private:
  struct Sink;
  std::unique_ptr<Sink> sink_;
  Level least_;
};

}  // namespace cameleer::server
