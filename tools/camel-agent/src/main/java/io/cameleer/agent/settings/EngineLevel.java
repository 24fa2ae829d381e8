package io.cameleer.agent.settings;

/** How much is recorded of an exchange. Each level contains the one before it. */
public enum EngineLevel {
    /** Nothing. */
    NONE,
    /** Executions only, with their payload by capture mode. */
    MINIMAL,
    /** Also the processors; their payload only where they failed. */
    REGULAR,
    /** Also the payload of every processor. */
    COMPLETE
}
