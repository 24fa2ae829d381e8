package io.cameleer.agent.logs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

import org.junit.jupiter.api.Test;

class LogIntakeTest {

    private static LogIntake.Head head(String logger, String thread) {
        return new LogIntake.Head(1_700_000_000_000L, "INFO", logger, thread);
    }

    @Test
    void more_lines_than_a_second_may_have_are_dropped_and_counted() {
        LogRig rig = new LogRig(10);
        long begin = System.nanoTime();
        for (int i = 0; i < 1_000; i++) {
            rig.logs().intake().take(head("shop", "main"), () -> "line", null, null);
        }
        long seconds = (System.nanoTime() - begin) / 1_000_000_000L + 2;
        assertTrue(rig.queue().size() <= 10 * seconds, rig.queue().size() + " in " + seconds + " s");
        assertEquals(1_000, rig.queue().size() + rig.counters().get("logs_rate_limit"));
    }

    @Test
    void a_queue_that_is_full_drops_the_oldest_and_counts_it() throws Exception {
        LogRig rig = new LogRig(1_000);
        for (int i = 0; i < 150; i++) {
            int number = i;
            rig.logs().intake().take(head("shop", "main"), () -> "line " + number, null, null);
        }
        assertEquals(50, rig.counters().get("logs_buffer_full"));
        assertEquals("line 50", rig.lines().get(0).get("message"));
    }

    @Test
    void a_line_is_cut_to_size() throws Exception {
        LogRig rig = new LogRig(1_000);
        Throwable deep = new IllegalStateException("x".repeat(40_000));
        rig.logs().intake().take(head("shop", "main"), () -> "m".repeat(40_000), deep, Map.of("key", "v".repeat(5_000)));
        Map<String, Object> line = rig.lines().get(0);
        assertEquals(16_385, ((String) line.get("message")).length());
        assertTrue(((String) line.get("stackTrace")).length() <= 16_385);
        assertEquals(1_025, ((String) ((Map<?, ?>) line.get("mdc")).get("key")).length());
    }

    @Test
    void what_the_taking_over_itself_logs_and_the_agents_own_lines_are_not_taken() throws Exception {
        LogRig rig = new LogRig(1_000);
        LogIntake intake = rig.logs().intake();
        intake.take(head("shop", "main"), () -> {
            intake.take(head("shop.Order", "main"), () -> "from toString", null, null);
            return "outer";
        }, null, null);
        intake.take(head("io.cameleer.agent.send.Session", "main"), () -> "own", null, null);
        intake.take(head("jdk.httpclient", "cameleer-sender"), () -> "own", null, null);
        assertEquals(List.of("outer"), rig.lines().stream().map(l -> l.get("message")).toList());
    }

    @Test
    void a_message_that_cannot_be_read_is_counted_and_hurts_nobody() {
        LogRig rig = new LogRig(1_000);
        rig.logs().intake().take(head("shop", "main"), () -> {
            throw new IllegalStateException("toString");
        }, null, null);
        assertEquals(1, rig.counters().get("logs_unreadable"));
        rig.logs().intake().take(head("shop", "main"), () -> "next", null, null);
        assertEquals(1, rig.queue().size());
    }

    @Test
    void secrets_in_a_message_and_in_the_context_are_masked() throws Exception {
        LogRig rig = new LogRig(1_000);
        rig.logs().intake().take(head("shop", "main"), () -> "{\"authorization\":\"abc\",\"order\":1}", null, Map.of("X-API-Key", "k"));
        Map<String, Object> line = rig.lines().get(0);
        assertFalse(line.toString().contains("abc"));
        assertEquals(Map.of("X-API-Key", "***"), line.get("mdc"));
        assertTrue(((String) line.get("message")).contains("\"order\":1"));
    }

    @Test
    void a_late_context_has_the_ids_from_the_first_line_until_the_place_is_another() {
        LogIds ids = new LogRig(1_000).logs().ids();
        Map<String, String> context = new TreeMap<>();
        ids.addLate(new LogIds.Mdc() {
            @Override
            public void put(String key, String value) {
                context.put(key, value);
            }

            @Override
            public void remove(String key) {
                context.remove(key);
            }
        });
        ids.write();
        assertEquals(Map.of(), context);
        LogIds.Place outer = new LogIds.Place("e1", null, "p1");
        LogIds.Place inner = new LogIds.Place("e1", "r1", "p2");
        LogIds.Place before = ids.here();
        ids.move(ids.thread(), outer);
        assertEquals(Map.of(), context);
        ids.write();
        assertEquals(Map.of(LogIds.EXCHANGE, "e1", LogIds.PROCESSOR, "p1"), context);
        LogIds.Place middle = ids.here();
        ids.move(ids.thread(), inner);
        assertEquals(Map.of(), context);
        ids.write();
        ids.write();
        assertEquals(Map.of(LogIds.EXCHANGE, "e1", LogIds.ROUTE, "r1", LogIds.PROCESSOR, "p2"), context);
        ids.move(ids.thread(), middle);
        assertEquals(Map.of(), context);
        assertEquals(outer, ids.here());
        ids.write();
        assertEquals("p1", context.get(LogIds.PROCESSOR));
        ids.move(ids.thread(), before);
        ids.write();
        assertEquals(Map.of(), context);
        assertNull(ids.here());
    }

    @Test
    void the_agents_ids_come_before_camels_and_a_place_is_left_as_it_was_entered() throws Exception {
        LogRig rig = new LogRig(1_000);
        LogIds ids = rig.logs().ids();
        List<String> calls = new ArrayList<>();
        ids.add(new LogIds.Mdc() {
            @Override
            public void put(String key, String value) {
                calls.add(key.substring("cameleer.".length()) + "=" + value);
            }

            @Override
            public void remove(String key) {
                calls.add("-" + key.substring("cameleer.".length()));
            }
        });
        LogIds.Place outer = new LogIds.Place("e1", "r1", "p1");
        LogIds.Place inner = new LogIds.Place("e1", "r1", "p2");
        LogIds.Place before = ids.here();
        ids.move(ids.thread(), outer);
        LogIds.Place middle = ids.here();
        ids.move(ids.thread(), inner);
        rig.logs().intake().take(head("shop", "main"), () -> "inside", null, Map.of("camel.exchangeId", "other", "camel.routeId", "other"));
        ids.move(ids.thread(), middle);
        ids.move(ids.thread(), before);
        assertNull(ids.here());
        assertEquals(Set.of("exchangeId=e1", "routeId=r1", "processorId=p1"), Set.copyOf(calls.subList(0, 3)));
        assertEquals(List.of("processorId=p2", "processorId=p1", "-exchangeId", "-routeId", "-processorId"), calls.subList(3, calls.size()));
        Map<String, Object> line = rig.lines().get(0);
        assertEquals("e1", line.get("exchangeId"));
        assertEquals("r1", line.get("routeId"));
        assertEquals("p2", ((Map<?, ?>) line.get("mdc")).get("cameleer.processorId"));
    }
}
