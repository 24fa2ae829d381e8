package io.cameleer.agent.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import com.fasterxml.jackson.core.JsonGenerator;

import org.junit.jupiter.api.Test;

import io.cameleer.agent.json.JsonText;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.send.Counters;
import io.cameleer.agent.send.OutgoingRecord;
import io.cameleer.agent.send.RecordQueue;

class MetricsTest {

    private final Counters counters = new Counters();
    private final RecordQueue queue = new RecordQueue("metrics", 20_000, 8 << 20, counters);
    private final Metrics metrics = new Metrics(queue, counters);

    private record Context(Map<String, RouteFigures> routes) implements Metrics.Camel {
        @Override
        public String name() {
            return "shop";
        }

        @Override
        public int inflight(String routeId) {
            return routeId == null ? 7 : 3;
        }
    }

    /** By name and the route or area it is about. */
    private Map<String, Map<String, Object>> taken() throws Exception {
        Map<String, Map<String, Object>> all = new TreeMap<>();
        for (Map<String, Object> metric : list()) {
            Map<?, ?> tags = (Map<?, ?>) metric.get("tags");
            Object about = tags.containsKey("routeId") ? tags.get("routeId") : tags.get("area");
            all.put(metric.get("metricName") + (about == null ? "" : " " + about), metric);
        }
        return all;
    }

    private List<Map<String, Object>> list() throws Exception {
        List<Map<String, Object>> all = new ArrayList<>();
        for (OutgoingRecord one : queue.take(20_000, Long.MAX_VALUE)) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            try (JsonGenerator json = JsonText.FACTORY.createGenerator(out)) {
                one.write(json, SensitiveKeys.defaults());
            }
            all.add(JsonText.object(out.toByteArray()));
        }
        return all;
    }

    private static double value(Map<String, Map<String, Object>> all, String name) {
        return ((Number) all.get(name).get("value")).doubleValue();
    }

    @Test
    void the_jvm_is_described_by_values_that_can_be() throws Exception {
        metrics.take(List.of());
        Map<String, Map<String, Object>> all = taken();
        double used = value(all, "jvm.memory.used heap");
        assertTrue(used > 1 << 20 && used <= value(all, "jvm.memory.committed heap"), "heap " + used);
        assertTrue(value(all, "jvm.memory.max heap") >= used);
        assertTrue(value(all, "jvm.memory.used nonheap") > 1 << 20);
        assertTrue(value(all, "jvm.threads.live") >= 2);
        assertTrue(value(all, "jvm.classes.loaded") > 100);
        assertTrue(value(all, "jvm.uptime") > 0);
        double load = value(all, "jvm.cpu.load");
        assertTrue(load >= 0 && load <= 1, "load " + load);
        assertEquals("gauge", all.get("jvm.memory.used heap").get("type"));
        assertEquals("counter", all.get("jvm.gc.count").get("type"));
        assertTrue(((String) all.get("jvm.uptime").get("timestamp")).matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z"));
    }

    @Test
    void routes_are_described_by_what_went_through_them() throws Exception {
        RouteFigures entry = new RouteFigures();
        entry.passed(2_000_000, false, true);
        entry.passed(4_000_000, true, true);
        RouteFigures inner = new RouteFigures();
        inner.passed(1_000_000, true, false);
        inner.passed(-1, false, false);
        metrics.take(List.of(new Context(Map.of("in", entry, "sub", inner))));
        Map<String, Map<String, Object>> all = taken();
        assertEquals(2, value(all, "camel.route.exchanges in"));
        assertEquals(1, value(all, "camel.route.failures in"));
        assertEquals(3, value(all, "camel.route.processing.mean in"));
        assertEquals(4, value(all, "camel.route.processing.max in"));
        assertEquals(2, value(all, "camel.route.exchanges sub"));
        assertEquals(1, value(all, "camel.route.processing.mean sub"));
        assertEquals(3, value(all, "camel.route.inflight sub"));
        assertEquals(2, value(all, "camel.exchanges.total"));
        assertEquals(1, value(all, "camel.exchanges.failed"));
        assertEquals(7, value(all, "camel.exchanges.inflight"));
        assertEquals(Map.of("context", "shop", "routeId", "in"), all.get("camel.route.exchanges in").get("tags"));

        metrics.take(List.of(new Context(Map.of("in", entry))));
        assertEquals(0, value(taken(), "camel.route.processing.max in"));
    }

    @Test
    void figures_are_taken_at_the_interval_and_only_when_wanted() throws Exception {
        metrics.tick(false, 1, List.of());
        assertEquals(0, queue.size());
        metrics.tick(true, 3_600, List.of());
        int one = list().size();
        assertTrue(one > 5);
        metrics.tick(true, 3_600, List.of());
        assertEquals(0, queue.size());
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (queue.size() == 0) {
            assertTrue(System.nanoTime() < deadline, "nothing was taken within 20 s");
            metrics.tick(true, 1, List.of());
            Thread.sleep(10);
        }
        assertEquals(one, list().size());
    }

    @Test
    void more_routes_than_it_reports_are_counted() throws Exception {
        Map<String, RouteFigures> many = new TreeMap<>();
        for (int i = 0; i < 1_100; i++) {
            many.put("route-" + i, new RouteFigures());
        }
        metrics.take(List.of(new Context(many)));
        assertEquals(1_000, list().stream().filter(m -> "camel.route.exchanges".equals(m.get("metricName"))).count());
        assertEquals(100, counters.get("metrics_too_many_routes"));
    }
}
