package io.cameleer.agent.camel;

import io.cameleer.agent.model.Execution;

/** Rides on an exchange that repeats an execution until its route begins, and learns which execution came of it. */
public final class Replay {

    public static final String PROPERTY = "CameleerReplay";

    final String originalExecutionId;
    private volatile Execution execution;

    public Replay(String originalExecutionId) {
        this.originalExecutionId = originalExecutionId;
    }

    void became(Execution begun) {
        execution = begun;
    }

    /** Null when it was not recorded. */
    public Execution execution() {
        return execution;
    }
}
