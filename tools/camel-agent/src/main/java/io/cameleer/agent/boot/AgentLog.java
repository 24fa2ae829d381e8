package io.cameleer.agent.boot;

import java.io.PrintStream;

/** The agent's own few lines, on the standard error stream: it must not wake up or depend on the application's logging. */
public final class AgentLog {

    private static final PrintStream OUT = System.err;

    private AgentLog() {
    }

    public static void info(String text) {
        OUT.println("[cameleer-agent] " + text);
    }

    public static void warn(String text) {
        OUT.println("[cameleer-agent] WARN " + text);
    }
}
