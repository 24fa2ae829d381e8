package io.cameleer.agent.diagram;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

import io.cameleer.agent.send.Counters;
import io.cameleer.agent.send.RecordQueue;

/** Which graph each route has, by its hash, and which of them the server has yet to be told. */
public final class Diagrams {

    /** Graphs that may wait for the server. */
    public static final int QUEUE = 1_000;

    /** Reads a route's graph from its context. Called by the telemetry thread. */
    public interface Source {
        /** Null when there is no such route, or not yet. */
        RouteGraph graph(String routeId);
    }

    private final RecordQueue queue;
    private final Counters counters;
    private final Map<String, String> hashes;
    private final Map<String, Source> changed = new ConcurrentHashMap<>();
    private final Map<String, RouteDiagram> known = new TreeMap<>();

    /** @param hashes route id → hash of its graph, which executions take over */
    public Diagrams(RecordQueue queue, Counters counters, Map<String, String> hashes) {
        this.queue = queue;
        this.counters = counters;
        this.hashes = hashes;
    }

    /** A route is there, or may be another than before. From any thread. */
    public void changed(String routeId, Source source) {
        if (changed.size() < QUEUE || changed.containsKey(routeId)) {
            changed.put(routeId, source);
        } else {
            counters.add("diagrams_buffer_full", 1);
        }
    }

    public void removed(String routeId) {
        changed.remove(routeId);
        hashes.remove(routeId);
    }

    /** Reads what changed and queues what is new. */
    public void read() {
        for (String routeId : Set.copyOf(changed.keySet())) {
            Source source = changed.remove(routeId);
            if (source != null) {
                read(routeId, source);
            }
        }
        known.keySet().removeIf(routeId -> !hashes.containsKey(routeId));
    }

    private void read(String routeId, Source source) {
        try {
            RouteGraph graph = source.graph(routeId);
            if (graph == null) {
                return;
            }
            RouteDiagram diagram = RouteDiagram.of(graph);
            if (!diagram.hash().equals(hashes.put(routeId, diagram.hash()))) {
                known.put(routeId, diagram);
                queue.add(diagram);
            }
        } catch (RuntimeException | LinkageError e) {
            counters.add("agent_error", 1);
        }
    }

    /** Queues all graphs again. */
    public void repeat() {
        List<RouteDiagram> all = new ArrayList<>(known.values());
        queue.take(QUEUE, Long.MAX_VALUE);
        all.forEach(queue::add);
    }
}
