package io.cameleer.agent.camel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import org.junit.jupiter.api.Test;

import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.settings.CaptureMode;
import io.cameleer.agent.settings.EngineLevel;
import io.cameleer.agent.settings.Limits;
import io.cameleer.agent.settings.RecordingRules;

/** What a Camel context tells of its routes besides executions. */
class CamelTelemetryTest extends CamelRig {

    private void start(Routes routes) throws Exception {
        start(CaptureMode.NONE, routes);
    }

    @Test
    void route_states_are_told_when_they_change_and_not_while_the_context_starts() throws Exception {
        start(b -> b.from("seda:a").routeId("a").setBody(b.constant("1")).id("one"));
        List<Map<String, Object>> begin = told("events");
        assertEquals(List.of("CONTEXT_STARTED"), begin.stream().map(e -> e.get("type")).toList());
        assertEquals(1, ((Map<?, ?>) begin.get(0).get("detail")).get("routes"));

        camel.getRouteController().suspendRoute("a");
        camel.getRouteController().resumeRoute("a");
        camel.getRouteController().stopRoute("a");
        camel.getRouteController().startRoute("a");
        add(b -> b.from("direct:late").routeId("late").setBody(b.constant("1")).id("late-one"));
        camel.getRouteController().stopRoute("late");
        camel.removeRoute("late");
        List<Object> changes = told("events").stream().filter(e -> "ROUTE_STATE_CHANGED".equals(e.get("type"))).map(e -> e.get("detail")).toList();
        assertEquals(List.of(Map.of("routeId", "a", "from", "Started", "to", "Suspended"),
            Map.of("routeId", "a", "from", "Suspended", "to", "Started"), Map.of("routeId", "a", "from", "Started", "to", "Stopped"),
            Map.of("routeId", "a", "from", "Stopped", "to", "Started"), Map.of("routeId", "late", "to", "Started"),
            Map.of("routeId", "late", "from", "Started", "to", "Stopped"), Map.of("routeId", "late", "from", "Stopped", "to", "Removed")), changes);
        camel.stop();
        List<Map<String, Object>> end = told("events");
        assertEquals(List.of("ROUTE_STATE_CHANGED", "CONTEXT_STOPPED"), end.stream().map(e -> e.get("type")).toList(), end.toString());
        assertEquals(Map.of("routeId", "a", "from", "Started", "to", "Stopped"), end.get(0).get("detail"));
    }

    @Test
    void what_passes_a_route_is_counted_also_when_it_is_not_sampled() throws Exception {
        start(new RecordingRules(EngineLevel.COMPLETE, CaptureMode.NONE, 0, SensitiveKeys.defaults()), Limits.defaults(), b -> {
            b.onException(IllegalArgumentException.class).handled(true).setBody(b.constant("no"));
            b.from("direct:a").routeId("a").to("direct:b").id("call");
            b.from("direct:b").routeId("b").filter(b.simple("${body} == 'bad'")).process(CamelRig::fail).end();
        });
        for (String body : List.of("good", "bad", "good", "good")) {
            template.sendBody("direct:a", body);
        }
        runtime.telemetry().tick();
        Map<String, Object> values = new TreeMap<>();
        for (Map<String, Object> metric : told("metrics")) {
            Object route = ((Map<?, ?>) metric.get("tags")).get("routeId");
            values.put(metric.get("metricName") + (route == null ? "" : " " + route), metric.get("value"));
        }
        assertEquals(0, runtime.queue().size());
        assertEquals(4, values.get("camel.route.exchanges a"));
        assertEquals(4, values.get("camel.route.exchanges b"));
        assertEquals(1, values.get("camel.route.failures b"));
        assertEquals(4, values.get("camel.exchanges.total"));
        assertEquals(1, values.get("camel.exchanges.failed"));
        assertEquals(0, values.get("camel.exchanges.inflight"));
        assertTrue(((Number) values.get("camel.route.processing.max a")).doubleValue() > 0);
        assertTrue(values.containsKey("jvm.memory.used"));
    }
}
