package io.cameleer.agent.camel;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import org.apache.camel.CamelContext;

import io.cameleer.agent.boot.AgentRuntime;
import io.cameleer.agent.camel.logs.LogFrameworks;
import io.cameleer.agent.metrics.RouteFigures;

/** What one Camel context tells besides its executions: its life, its routes' states, graphs and figures, and where it logs to. */
final class ContextTelemetry implements RouteEvents.Listener {

    private final AgentRuntime runtime;
    private final CamelContext context;
    private final AgentRuntime.Context asContext;
    private final RouteEvents events = new RouteEvents(this);
    private final Map<String, RouteFigures> figures = new ConcurrentHashMap<>();
    private volatile boolean started;

    ContextTelemetry(AgentRuntime runtime, CamelContext context, AgentRuntime.Context asContext) {
        this.runtime = runtime;
        this.context = context;
        this.asContext = asContext;
    }

    RouteEvents events() {
        return events;
    }

    Map<String, RouteFigures> figures() {
        return figures;
    }

    RouteFigures figures(String routeId) {
        return figures.computeIfAbsent(routeId, id -> new RouteFigures());
    }

    void findLogging() {
        try {
            runtime.telemetry().findLogging(context.getClass().getClassLoader(), LogFrameworks::find);
        } catch (RuntimeException | LinkageError e) {
            failed(e);
        }
    }

    void contextStarted() {
        try {
            started = true;
            runtime.telemetry().logs().ensure();
            runtime.events().add("CONTEXT_STARTED", Map.of("context", context.getName(), "camelVersion", context.getVersion(),
                "routes", context.getRoutesSize()));
            runtime.telemetry().soon();
        } catch (RuntimeException | LinkageError e) {
            failed(e);
        }
    }

    void contextStopped() {
        try {
            started = false;
            runtime.events().add("CONTEXT_STOPPED", Map.of("context", context.getName()));
            runtime.telemetry().soon();
        } catch (RuntimeException | LinkageError e) {
            failed(e);
        }
    }

    @Override
    public void added(String routeId) {
        runtime.telemetry().routeAdded(routeId, asContext);
    }

    @Override
    public void became(String routeId, String state) {
        changed(routeId, state, started);
    }

    private void changed(String routeId, String state, boolean tell) {
        if (runtime.telemetry().states().changed(routeId, state, tell) && tell) {
            runtime.routesChanged();
            runtime.telemetry().soon();
        }
    }

    @Override
    public void removed(String routeId) {
        // a context that stops takes its routes out after it has stopped them: that they stopped has been told
        changed(routeId, "Removed", started && !asContext.stopping());
        figures.remove(routeId);
        runtime.telemetry().routeRemoved(routeId);
    }

    @Override
    public void failed(Throwable e) {
        runtime.counters().add("agent_error", 1);
    }
}
