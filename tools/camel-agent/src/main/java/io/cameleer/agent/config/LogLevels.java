package io.cameleer.agent.config;

import java.util.Map;

/** Sets the levels of the application's loggers. Called from an agent's thread, with all of them each time; may throw. */
public interface LogLevels {
    /** @param levels logger → TRACE, DEBUG, INFO, WARN, ERROR or OFF; a logger that is no longer named gets back what it had */
    void apply(Map<String, String> levels);
}
