package io.cameleer.agent.model;

public enum Status {
    RUNNING, COMPLETED, FAILED
}
