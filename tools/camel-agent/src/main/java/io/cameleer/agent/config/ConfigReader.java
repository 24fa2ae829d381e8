package io.cameleer.agent.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

import io.cameleer.agent.json.JsonText;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.settings.CaptureMode;
import io.cameleer.agent.settings.EngineLevel;
import io.cameleer.agent.settings.RecordingRules;

/** Reads a configuration as the server sends it. What is absent, or not of its kind, is as in the agent's own settings; nothing throws. */
final class ConfigReader {

    private static final int MOST = 1_000;
    private static final int MOST_TAPS = 200;
    private static final int METRICS_LEAST = 1;
    private static final int METRICS_MOST = 3_600;

    private ConfigReader() {
    }

    static LiveConfig read(Map<String, Object> config, RecordingRules own) {
        LiveConfig base = LiveConfig.of(own);
        double rate = config.get("samplingRate") instanceof Number n ? Math.min(1, Math.max(0, n.doubleValue())) : own.samplingRate();
        RecordingRules rules = new RecordingRules(named(EngineLevel.class, config.get("engineLevel"), own.level()),
            named(CaptureMode.class, config.get("payloadCaptureMode"), own.capture()), rate, keys(config, own.sensitiveKeys()));
        long seconds = JsonText.number(config, "metricsIntervalSeconds", base.metricsIntervalSeconds());
        return new LiveConfig(version(config), rules, traced(config.get("tracedProcessors")), taps(config.get("taps")),
            entries(config.get("routeRecording"), value -> value instanceof Boolean flag ? flag : null),
            Boolean.TRUE.equals(config.get("compressSuccess")),
            entries(config.get("logLevels"), value -> value instanceof String text ? text.toUpperCase(Locale.ROOT) : null),
            !Boolean.FALSE.equals(config.get("metricsEnabled")), (int) Math.max(METRICS_LEAST, Math.min(METRICS_MOST, seconds)));
    }

    static long version(Map<String, Object> config) {
        return Math.max(0, JsonText.number(config, "version", 0));
    }

    /** Names are only ever added: no configuration takes away what the agent masks by itself. */
    static SensitiveKeys keys(Map<String, Object> config, SensitiveKeys present) {
        SensitiveKeys keys = present;
        for (String member : List.of("sensitiveKeys", "mergedSensitiveKeys")) {
            if (config.get(member) instanceof List<?> list) {
                keys = keys.plus(list.stream().limit(MOST).filter(String.class::isInstance).map(String.class::cast).toList());
            }
        }
        return keys;
    }

    static Map<String, CaptureMode> traced(Object processors) {
        return entries(processors, mode -> named(CaptureMode.class, mode, null));
    }

    private static Map<String, List<Tap>> taps(Object taps) {
        Map<String, List<Tap>> byProcessor = new HashMap<>();
        if (taps instanceof List<?> list) {
            for (Object element : list.subList(0, Math.min(list.size(), MOST_TAPS))) {
                Tap tap = element instanceof Map<?, ?> map && !Boolean.FALSE.equals(map.get("enabled")) ? tap(map) : null;
                if (tap != null) {
                    byProcessor.computeIfAbsent(tap.processorId(), id -> new ArrayList<>()).add(tap);
                }
            }
        }
        byProcessor.replaceAll((id, each) -> List.copyOf(each));
        return Map.copyOf(byProcessor);
    }

    private static Tap tap(Map<?, ?> map) {
        if (map.get("processorId") instanceof String processor && map.get("language") instanceof String language
                && map.get("expression") instanceof String expression && map.get("attribute") instanceof String attribute
                && !attribute.isBlank()) {
            return new Tap(processor, "INPUT".equals(map.get("target")), language, expression, attribute);
        }
        return null;
    }

    private static <V> Map<String, V> entries(Object object, Function<Object, V> reader) {
        Map<String, V> entries = new HashMap<>();
        if (object instanceof Map<?, ?> map) {
            map.forEach((name, value) -> {
                V read = reader.apply(value);
                if (name instanceof String text && read != null && entries.size() < MOST) {
                    entries.put(text, read);
                }
            });
        }
        return Map.copyOf(entries);
    }

    private static <E extends Enum<E>> E named(Class<E> type, Object name, E otherwise) {
        if (name instanceof String text) {
            for (E constant : type.getEnumConstants()) {
                if (constant.name().equals(text.toUpperCase(Locale.ROOT))) {
                    return constant;
                }
            }
        }
        return otherwise;
    }
}
