package io.cameleer.agent.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.send.Counters;
import io.cameleer.agent.settings.CaptureMode;
import io.cameleer.agent.settings.EngineLevel;
import io.cameleer.agent.settings.RecordingRules;

class ConfigurationTest {

    private static final RecordingRules OWN =
        new RecordingRules(EngineLevel.REGULAR, CaptureMode.INPUT, 0.5, SensitiveKeys.defaults().plus(List.of("own")));

    private final Counters counters = new Counters();
    private final Configuration configuration = new Configuration(OWN, counters);

    private boolean masks(String name) {
        return configuration.live().rules().sensitiveKeys().matches(name);
    }

    @Test
    void what_is_absent_or_nonsense_is_as_in_the_agents_own_settings() {
        Map<String, Object> nonsense = new HashMap<>();
        nonsense.put("version", 1);
        for (String member : List.of("engineLevel", "payloadCaptureMode", "samplingRate", "tracedProcessors", "taps", "routeRecording",
                "logLevels", "metricsEnabled", "metricsIntervalSeconds", "compressSuccess", "sensitiveKeys", "mergedSensitiveKeys")) {
            nonsense.put(member, List.of(1, List.of(), Map.of("a", 1)));
        }
        assertTrue(configuration.offer(nonsense));
        LiveConfig live = configuration.live();
        assertEquals(List.of(EngineLevel.REGULAR, CaptureMode.INPUT, 0.5),
            List.of(live.rules().level(), live.rules().capture(), live.rules().samplingRate()));
        assertEquals(List.of(Map.of(), Map.of(), Map.of(), Map.of(), true, 60, false), List.of(live.traced(), live.taps(),
            live.routeRecording(), live.logLevels(), live.metricsEnabled(), live.metricsIntervalSeconds(), live.compressSuccess()));
    }

    @Test
    void numbers_are_held_to_their_range_and_maps_to_their_bound() {
        Map<String, Object> many = IntStream.range(0, 5_000).boxed().collect(Collectors.toMap(i -> "p" + i, i -> "BOTH"));
        List<Object> taps = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            taps.add(Map.of("processorId", "p", "language", "simple", "expression", "x", "attribute", "a" + i));
        }
        configuration.offer(Map.of("version", 1, "samplingRate", 7, "metricsIntervalSeconds", 0, "tracedProcessors", many, "taps", taps));
        assertEquals(1.0, configuration.live().rules().samplingRate());
        assertEquals(1, configuration.live().metricsIntervalSeconds());
        assertEquals(1_000, configuration.live().traced().size());
        assertEquals(200, configuration.live().taps().get("p").size());
    }

    @Test
    void only_a_newer_version_is_taken_and_names_to_mask_are_never_lost_to_an_older_one() {
        assertTrue(configuration.offer(Map.of("version", 3, "samplingRate", 0.3, "mergedSensitiveKeys", List.of("three"))));
        assertFalse(configuration.offer(Map.of("version", 2, "samplingRate", 0.2, "mergedSensitiveKeys", List.of("two"))));
        assertEquals(0.3, configuration.live().rules().samplingRate());
        assertTrue(masks("three") && masks("two") && masks("own") && masks("authorization"));
        assertFalse(configuration.offer(Map.of("version", 3, "samplingRate", 0.9, "mergedSensitiveKeys", List.of("global"))));
        assertEquals(0.3, configuration.live().rules().samplingRate());
        assertTrue(masks("global") && masks("own") && !masks("three"), "the same version with the global names of now");
        assertFalse(configuration.offer(Map.of("version", 3)));
        assertTrue(masks("global"), "an envelope without names says nothing about them");
        assertTrue(configuration.offer(Map.of("version", 4)));
        assertTrue(masks("own") && masks("cookie") && !masks("global"));
    }

    @Test
    void traced_processors_last_until_the_next_configuration() {
        assertEquals(1, configuration.trace(Map.of("p", "BOTH", "q", "SOME")));
        assertEquals(Map.of("p", CaptureMode.BOTH), configuration.live().traced());
        configuration.offer(Map.of("version", 1, "tracedProcessors", Map.of("r", "INPUT")));
        assertEquals(Map.of("r", CaptureMode.INPUT), configuration.live().traced());
    }

    @Test
    void levels_of_loggers_are_handed_on_when_they_change_and_a_hook_that_throws_is_counted() {
        List<Map<String, String>> told = new ArrayList<>();
        configuration.addLogLevels(levels -> {
            throw new IllegalStateException("no");
        });
        configuration.addLogLevels(told::add);
        configuration.offer(Map.of("version", 1, "logLevels", Map.of("org.x", "debug")));
        configuration.offer(Map.of("version", 2, "logLevels", Map.of("org.x", "DEBUG"), "samplingRate", 0.1));
        configuration.offer(Map.of("version", 3));
        assertEquals(List.of(Map.of("org.x", "DEBUG"), Map.of()), told);
        assertEquals(2, counters.get("agent_error"));
        configuration.offer(Map.of("version", 4, "logLevels", Map.of("a", "OFF")));
        configuration.addLogLevels(told::add);
        assertEquals(Map.of("a", "OFF"), told.get(told.size() - 1), "a later one hears of the present");
    }

    @Test
    void deep_traces_are_bounded() {
        for (int i = 0; i < 100; i++) {
            assertTrue(configuration.deepTrace("r" + i, null, 60));
        }
        assertFalse(configuration.deepTrace("r", null, 60));
        assertTrue(configuration.deepTraced("r7", null));
        assertFalse(configuration.deepTraced("r", null));
    }
}
