package io.cameleer.agent.config;

import java.util.List;
import java.util.Map;

import io.cameleer.agent.settings.CaptureMode;
import io.cameleer.agent.settings.RecordingRules;

/**
 * What the agent goes by at one moment: its own settings and, over them, the server's configuration of the application. Immutable; a
 * change replaces the whole object.
 *
 * @param version of the server's configuration; 0 when the server has none
 * @param traced processor id → what of its payload is recorded, whatever level and mode say
 * @param taps processor id → what is taken there
 * @param routeRecording route id → whether it is recorded; a route that is not named is
 * @param compressSuccess the payload of an execution that completed is left out
 * @param logLevels logger → level
 */
public record LiveConfig(long version, RecordingRules rules, Map<String, CaptureMode> traced, Map<String, List<Tap>> taps,
                         Map<String, Boolean> routeRecording, boolean compressSuccess, Map<String, String> logLevels,
                         boolean metricsEnabled, int metricsIntervalSeconds) {

    private static final int METRICS_SECONDS = 60;

    /** The agent's own settings alone. */
    public static LiveConfig of(RecordingRules rules) {
        return new LiveConfig(0, rules, Map.of(), Map.of(), Map.of(), false, Map.of(), true, METRICS_SECONDS);
    }

    public LiveConfig withTraced(Map<String, CaptureMode> processors) {
        return new LiveConfig(version, rules, Map.copyOf(processors), taps, routeRecording, compressSuccess, logLevels, metricsEnabled,
            metricsIntervalSeconds);
    }

    public LiveConfig withRules(RecordingRules changed) {
        return new LiveConfig(version, changed, traced, taps, routeRecording, compressSuccess, logLevels, metricsEnabled,
            metricsIntervalSeconds);
    }
}
