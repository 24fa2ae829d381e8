package io.cameleer.agent.metrics;

import java.lang.management.ClassLoadingMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.lang.management.MemoryUsage;
import java.lang.management.ThreadMXBean;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

import io.cameleer.agent.send.Counters;
import io.cameleer.agent.send.RecordQueue;

/** Takes the figures of the JVM and of the Camel contexts at the configured interval. Used by the telemetry thread only. */
public final class Metrics {

    /** Values that may wait for the server: an hour and more of an application with a few dozen routes. */
    public static final int QUEUE = 20_000;

    private static final int ROUTES = 1_000;

    /** One Camel context, asked by the telemetry thread. */
    public interface Camel {
        String name();

        /** Exchanges that are going on, of one route or, for null, of all. */
        int inflight(String routeId);

        /** Route id → figures. */
        Map<String, RouteFigures> routes();
    }

    private final RecordQueue queue;
    private final Counters counters;
    private boolean due = true;
    private long lastNanos;

    public Metrics(RecordQueue queue, Counters counters) {
        this.queue = queue;
        this.counters = counters;
    }

    /** Takes the figures when it is time for them. */
    public void tick(boolean enabled, int intervalSeconds, Iterable<? extends Camel> contexts) {
        long now = System.nanoTime();
        long interval = TimeUnit.SECONDS.toNanos(Math.max(1, intervalSeconds));
        if (!enabled || !due && now - lastNanos < interval) {
            return;
        }
        due = false;
        lastNanos = now;
        take(contexts);
    }

    void take(Iterable<? extends Camel> contexts) {
        long millis = System.currentTimeMillis();
        try {
            jvm(millis);
        } catch (RuntimeException | LinkageError e) {
            counters.add("agent_error", 1);
        }
        for (Camel camel : contexts) {
            try {
                camel(camel, millis);
            } catch (RuntimeException | LinkageError e) {
                counters.add("agent_error", 1);
            }
        }
    }

    private void jvm(long millis) {
        MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
        memory(memory.getHeapMemoryUsage(), "heap", millis);
        memory(memory.getNonHeapMemoryUsage(), "nonheap", millis);
        for (GarbageCollectorMXBean gc : ManagementFactory.getGarbageCollectorMXBeans()) {
            Map<String, String> tags = Map.of("gc", gc.getName());
            counter("jvm.gc.count", Math.max(0, gc.getCollectionCount()), millis, tags);
            counter("jvm.gc.time", Math.max(0, gc.getCollectionTime()), millis, tags);
        }
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        gauge("jvm.threads.live", threads.getThreadCount(), millis, Map.of());
        gauge("jvm.threads.daemon", threads.getDaemonThreadCount(), millis, Map.of());
        ClassLoadingMXBean classes = ManagementFactory.getClassLoadingMXBean();
        gauge("jvm.classes.loaded", classes.getLoadedClassCount(), millis, Map.of());
        gauge("jvm.uptime", ManagementFactory.getRuntimeMXBean().getUptime(), millis, Map.of());
        if (ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system) {
            // negative until the system has something to compare with
            gauge("jvm.cpu.load", Math.max(0, system.getProcessCpuLoad()), millis, Map.of());
            counter("jvm.cpu.time", Math.max(0, system.getProcessCpuTime()) / 1_000_000, millis, Map.of());
        }
    }

    private void memory(MemoryUsage usage, String area, long millis) {
        Map<String, String> tags = Map.of("area", area);
        gauge("jvm.memory.used", usage.getUsed(), millis, tags);
        gauge("jvm.memory.committed", usage.getCommitted(), millis, tags);
        if (usage.getMax() > 0) {
            gauge("jvm.memory.max", usage.getMax(), millis, tags);
        }
    }

    private void camel(Camel camel, long millis) {
        Map<String, String> context = Map.of("context", camel.name());
        long entries = 0;
        long failed = 0;
        int routes = 0;
        for (Map.Entry<String, RouteFigures> route : new TreeMap<>(camel.routes()).entrySet()) {
            RouteFigures figures = route.getValue();
            entries += figures.entries();
            failed += figures.failedEntries();
            if (++routes > ROUTES) {
                counters.add("metrics_too_many_routes", 1);
                continue;
            }
            Map<String, String> tags = new TreeMap<>(context);
            tags.put("routeId", route.getKey());
            counter("camel.route.exchanges", figures.exchanges(), millis, tags);
            counter("camel.route.failures", figures.failures(), millis, tags);
            gauge("camel.route.inflight", camel.inflight(route.getKey()), millis, tags);
            gauge("camel.route.processing.mean", figures.meanMillis(), millis, tags);
            gauge("camel.route.processing.max", figures.takeLongestMillis(), millis, tags);
        }
        counter("camel.exchanges.total", entries, millis, context);
        counter("camel.exchanges.failed", failed, millis, context);
        gauge("camel.exchanges.inflight", camel.inflight(null), millis, context);
        gauge("camel.routes", routes, millis, context);
    }

    private void gauge(String name, double value, long millis, Map<String, String> tags) {
        queue.add(new Metric(name, value, millis, tags, false));
    }

    private void counter(String name, double value, long millis, Map<String, String> tags) {
        queue.add(new Metric(name, value, millis, tags, true));
    }
}
