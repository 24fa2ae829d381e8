package io.cameleer.agent.camel;

import java.io.Closeable;

import org.apache.camel.CamelContext;
import org.apache.camel.spi.CamelContextTracker;

import io.cameleer.agent.boot.AgentLog;
import io.cameleer.agent.boot.AgentRuntime;

/** Hears of every Camel context of its class loader while the context is being built, and prepares it for recording. */
public final class CamelHook extends CamelContextTracker {

    private final AgentRuntime runtime;

    private CamelHook(AgentRuntime runtime) {
        this.runtime = runtime;
    }

    /** Called once for each class loader that has a Camel. @return what ends it when closed */
    public static Closeable open(AgentRuntime runtime) {
        CamelHook hook = new CamelHook(runtime);
        hook.open();
        return hook;
    }

    @Override
    public void contextCreated(CamelContext context) {
        try {
            ContextInstrumentation.install(runtime, context);
        } catch (Throwable e) {
            runtime.counters().add("agent_error", 1);
            AgentLog.warn("context " + context.getName() + " is not observed: " + e);
        }
    }
}
