package io.cameleer.agent.logs;

/** One logging framework of the application. Called from the agent's threads and where a Camel context starts; may throw. */
public interface LogSource {

    /** Puts the agent's appender where it belongs, unless it is there. False when the framework is not in use after all. */
    boolean attach();

    void detach();

    /** The level that is set on the logger itself, or null when it follows its parent's. */
    String level(String logger);

    /** @param level TRACE, DEBUG, INFO, WARN, ERROR or OFF; null to follow the parent's again */
    void level(String logger, String level);
}
