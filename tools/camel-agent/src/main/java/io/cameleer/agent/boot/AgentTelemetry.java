package io.cameleer.agent.boot;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.WeakHashMap;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

import io.cameleer.agent.config.LiveConfig;
import io.cameleer.agent.diagram.Diagrams;
import io.cameleer.agent.diagram.RouteGraph;
import io.cameleer.agent.events.AgentEvents;
import io.cameleer.agent.events.RouteStates;
import io.cameleer.agent.logs.LogIntake;
import io.cameleer.agent.logs.Logs;
import io.cameleer.agent.metrics.Metrics;
import io.cameleer.agent.send.Counters;
import io.cameleer.agent.send.RecordQueue;
import io.cameleer.agent.send.Telemetry;

/** Everything that is reported besides executions: graphs of the routes, events, log lines, metrics. Free of Camel types. */
public final class AgentTelemetry implements Telemetry.Gathering {

    /** What a Camel context adds to it. */
    public interface Context extends Metrics.Camel {
        /** Null when there is no such route. */
        RouteGraph routeGraph(String routeId);

        boolean started();
    }

    private static final long EVENT_BYTES = 1L << 20;
    private static final long METRIC_BYTES = 4L << 20;
    private static final long DIAGRAM_BYTES = 8L << 20;

    private final Supplier<LiveConfig> config;
    private final Supplier<? extends List<? extends Context>> contexts;
    private final RecordQueue logQueue;
    private final RecordQueue metricQueue;
    private final RecordQueue eventQueue;
    private final RecordQueue diagramQueue;
    private final AgentEvents events;
    private final RouteStates states;
    private final Diagrams diagrams;
    private final Logs logs;
    private final Metrics metrics;
    private final Telemetry sending;
    private final Set<ClassLoader> searched = Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));
    private long configVersion;
    private boolean configSeen;

    AgentTelemetry(Counters counters, Supplier<LiveConfig> config, Map<String, String> diagramHashes,
                   Supplier<? extends List<? extends Context>> contexts) {
        this.config = config;
        this.contexts = contexts;
        logQueue = new RecordQueue("logs", LogIntake.QUEUE, LogIntake.QUEUE_BYTES, counters);
        metricQueue = new RecordQueue("metrics", Metrics.QUEUE, METRIC_BYTES, counters);
        eventQueue = new RecordQueue("events", AgentEvents.QUEUE, EVENT_BYTES, counters);
        diagramQueue = new RecordQueue("diagrams", Diagrams.QUEUE, DIAGRAM_BYTES, counters);
        events = new AgentEvents(eventQueue);
        states = new RouteStates(events);
        diagrams = new Diagrams(diagramQueue, counters, diagramHashes);
        logs = new Logs(logQueue, counters);
        metrics = new Metrics(metricQueue, counters);
        sending = new Telemetry(this, List.of(diagramQueue, eventQueue, metricQueue, logQueue), counters);
    }

    public AgentEvents events() {
        return events;
    }

    public RouteStates states() {
        return states;
    }

    public Logs logs() {
        return logs;
    }

    /** Looks for the logging frameworks of an application, once for each class loader; contexts of one share their logging. */
    public void findLogging(ClassLoader application, BiConsumer<Logs, ClassLoader> finder) {
        if (searched.add(application)) {
            finder.accept(logs, application);
        }
    }

    /** The thread that sends it; for the reporting side. */
    public Telemetry sending() {
        return sending;
    }

    /** A route is there: its graph is read soon, on the agent's thread. */
    public void routeAdded(String routeId, Context context) {
        diagrams.changed(routeId, context::routeGraph);
        sending.wake();
    }

    public void routeRemoved(String routeId) {
        diagrams.removed(routeId);
    }

    /** Something happened that is worth being sent without delay. */
    public void soon() {
        sending.wake();
    }

    @Override
    public void tick() {
        LiveConfig now = config.get();
        if (!configSeen || now.version() != configVersion) {
            if (now.version() > 0) {
                Map<String, Object> detail = new TreeMap<>();
                detail.put("version", now.version());
                events.add("CONFIG_APPLIED", detail);
            }
            configVersion = now.version();
            configSeen = true;
        }
        List<? extends Context> all = contexts.get();
        // a context that is still starting may not be asked for its model's dumper by a second thread
        if (all.stream().anyMatch(Context::started)) {
            diagrams.read();
        }
        logs.ensure();
        metrics.tick(now.metricsEnabled(), now.metricsIntervalSeconds(), all);
    }

    @Override
    public void registeredAgain() {
        diagrams.repeat();
    }

    /** What waits for the server of one kind: {@code logs}, {@code metrics}, {@code events} or {@code diagrams}. */
    public RecordQueue queue(String kind) {
        return switch (kind) {
            case "logs" -> logQueue;
            case "metrics" -> metricQueue;
            case "events" -> eventQueue;
            default -> diagramQueue;
        };
    }
}
