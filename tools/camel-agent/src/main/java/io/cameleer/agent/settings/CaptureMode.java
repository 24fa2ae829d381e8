package io.cameleer.agent.settings;

/** Which side of an exchange or a processor has its body and headers recorded. */
public enum CaptureMode {
    NONE, INPUT, OUTPUT, BOTH;

    public boolean input() {
        return this == INPUT || this == BOTH;
    }

    public boolean output() {
        return this == OUTPUT || this == BOTH;
    }
}
