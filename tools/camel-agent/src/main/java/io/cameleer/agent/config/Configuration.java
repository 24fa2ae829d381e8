package io.cameleer.agent.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.send.Counters;
import io.cameleer.agent.settings.CaptureMode;
import io.cameleer.agent.settings.RecordingRules;

/** The present configuration, and who may change it. Readers take the snapshot; changes come from the agent's threads one at a time. */
public final class Configuration {

    /**
     * @param routeId null for all routes
     * @param correlationId null for all stories
     */
    private record DeepTrace(String routeId, String correlationId, long endNanos) {

        boolean wants(String route, String correlation) {
            return (routeId == null || routeId.equals(route)) && (correlationId == null || correlationId.equals(correlation))
                && System.nanoTime() - endNanos < 0;
        }
    }

    private static final int DEEP_TRACES = 100;

    private final RecordingRules own;
    private final Counters counters;
    private final List<LogLevels> logLevels = new CopyOnWriteArrayList<>();
    private volatile LiveConfig live;
    private volatile List<DeepTrace> deepTraces = List.of();

    public Configuration(RecordingRules own, Counters counters) {
        this.own = own;
        this.counters = counters;
        this.live = LiveConfig.of(own);
    }

    public LiveConfig live() {
        return live;
    }

    /** Told of the present levels now and of every change. */
    public synchronized void addLogLevels(LogLevels hook) {
        logLevels.add(hook);
        if (!live.logLevels().isEmpty()) {
            tell(hook, live);
        }
    }

    /**
     * Takes over the server's configuration when it is newer than the present one. The sensitive keys of one with the same version are
     * taken too: the global ones have no version here. Those of an older one are added.
     *
     * @return true when it was newer
     */
    public synchronized boolean offer(Map<String, Object> config) {
        if (config.isEmpty()) {
            return false;
        }
        LiveConfig before = live;
        long version = ConfigReader.version(config);
        if (version > before.version()) {
            live = ConfigReader.read(config, own);
            if (!live.logLevels().equals(before.logLevels())) {
                logLevels.forEach(hook -> tell(hook, live));
            }
            return true;
        }
        if (!(config.get("sensitiveKeys") instanceof List) && !(config.get("mergedSensitiveKeys") instanceof List)) {
            return false;
        }
        RecordingRules rules = before.rules();
        SensitiveKeys present = version == before.version() ? own.sensitiveKeys() : rules.sensitiveKeys();
        live = before.withRules(new RecordingRules(rules.level(), rules.capture(), rules.samplingRate(), ConfigReader.keys(config, present)));
        return false;
    }

    /** Replaces the traced processors until the next configuration. @return how many it understood */
    public synchronized int trace(Object processors) {
        Map<String, CaptureMode> traced = ConfigReader.traced(processors);
        live = live.withTraced(traced);
        return traced.size();
    }

    /** False when there are too many already. */
    public synchronized boolean deepTrace(String routeId, String correlationId, long seconds) {
        long now = System.nanoTime();
        List<DeepTrace> wanted = new ArrayList<>(deepTraces);
        wanted.removeIf(trace -> trace.endNanos() - now <= 0);
        if (wanted.size() >= DEEP_TRACES) {
            return false;
        }
        wanted.add(new DeepTrace(routeId, correlationId, now + TimeUnit.SECONDS.toNanos(seconds)));
        deepTraces = List.copyOf(wanted);
        return true;
    }

    public boolean deepTraced(String routeId, String correlationId) {
        for (DeepTrace trace : deepTraces) {
            if (trace.wants(routeId, correlationId)) {
                return true;
            }
        }
        return false;
    }

    private void tell(LogLevels hook, LiveConfig config) {
        try {
            hook.apply(config.logLevels());
        } catch (Exception | LinkageError e) {
            counters.add("agent_error", 1);
        }
    }
}
