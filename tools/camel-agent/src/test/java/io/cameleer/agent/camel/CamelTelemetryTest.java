package io.cameleer.agent.camel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;

import com.fasterxml.jackson.core.JsonGenerator;

import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.LoggingLevel;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.ChoiceDefinition;
import org.apache.camel.model.FilterDefinition;
import org.apache.camel.model.LoopDefinition;
import org.apache.camel.model.OptionalIdentifiedDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.SplitDefinition;
import org.apache.camel.model.ThreadsDefinition;
import org.apache.camel.model.TryDefinition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

import io.cameleer.agent.boot.AgentRuntime;
import io.cameleer.agent.diagram.RouteDiagram;
import io.cameleer.agent.diagram.RouteGraph;
import io.cameleer.agent.json.JsonText;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.ProcessorRecord;
import io.cameleer.agent.send.OutgoingRecord;
import io.cameleer.agent.send.Timing;
import io.cameleer.agent.settings.CaptureMode;
import io.cameleer.agent.settings.EngineLevel;
import io.cameleer.agent.settings.Limits;
import io.cameleer.agent.settings.RecordingRules;

/** What a real Camel context tells besides its executions, on the Camel version of the class path. */
class CamelTelemetryTest {

    private final RecordingRules rules =
        new RecordingRules(EngineLevel.COMPLETE, CaptureMode.NONE, 1, SensitiveKeys.defaults());
    private AgentRuntime runtime;
    private Closeable hook;
    private CamelContext camel;
    private ProducerTemplate template;

    private interface Routes {
        void define(RouteBuilder builder) throws Exception;
    }

    private void start(RecordingRules with, Routes routes) throws Exception {
        runtime = new AgentRuntime(null, with, Limits.defaults(), Timing.defaults());
        hook = CamelHook.open(runtime);
        camel = new DefaultCamelContext();
        add(routes);
        camel.getShutdownStrategy().setTimeout(5);
        camel.start();
        template = camel.createProducerTemplate();
    }

    private void start(Routes routes) throws Exception {
        start(rules, routes);
    }

    private void add(Routes routes) throws Exception {
        camel.addRoutes(new RouteBuilder() {
            @Override
            public void configure() throws Exception {
                routes.define(this);
            }
        });
    }

    @AfterEach
    void stop() throws Exception {
        // first of all: a hook that stays open would watch the contexts of the other tests
        hook.close();
        template.stop();
        camel.stop();
        runtime.telemetry().logs().close();
        assertEquals(0, runtime.counters().get("agent_error"));
    }

    /** What waits of one kind, as the server would see it. */
    private List<Map<String, Object>> told(String kind) throws Exception {
        List<Map<String, Object>> all = new ArrayList<>();
        for (OutgoingRecord one : runtime.telemetry().queue(kind).take(10_000, Long.MAX_VALUE)) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            try (JsonGenerator json = JsonText.FACTORY.createGenerator(out)) {
                one.write(json, SensitiveKeys.defaults());
            }
            all.add(JsonText.object(out.toByteArray()));
        }
        return all;
    }

    private Map<String, Map<String, Object>> diagrams() throws Exception {
        runtime.telemetry().tick();
        return told("diagrams").stream().collect(Collectors.toMap(d -> (String) d.get("routeId"), d -> d));
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Map<String, Object>> nodes(Object list) {
        Map<String, Map<String, Object>> byId = new HashMap<>();
        for (Map<String, Object> node : (List<Map<String, Object>>) list) {
            byId.put((String) node.get("id"), node);
            if (node.containsKey("children")) {
                byId.putAll(nodes(node.get("children")));
            }
        }
        return byId;
    }

    @SuppressWarnings("unchecked")
    private static List<String> edges(Map<String, Object> diagram) {
        return ((List<Map<String, Object>>) diagram.get("edges")).stream()
            .map(e -> e.get("from") + " " + e.get("kind") + " " + e.get("to")).toList();
    }

    private List<Execution> executions(int count) throws InterruptedException {
        long deadline = System.nanoTime() + 20_000_000_000L;
        List<Execution> taken = new ArrayList<>();
        while (taken.size() < count) {
            assertTrue(System.nanoTime() < deadline, "only " + taken.size() + " of " + count + " executions ended within 20 s");
            taken.addAll(runtime.queue().take(100, Integer.MAX_VALUE, 50));
        }
        return taken;
    }

    private static <T extends OptionalIdentifiedDefinition<?>> T named(T node, String id) {
        node.setId(id);
        return node;
    }

    private static void last(ProcessorDefinition<?> block, String id) {
        block.getOutputs().get(block.getOutputs().size() - 1).setId(id);
    }

    private static void fail(Exchange exchange) {
        throw new IllegalArgumentException("not like this");
    }

    /** The patterns of the orders application, in one route. */
    private static void orders(RouteBuilder b) {
        b.onException(IllegalArgumentException.class).id("refused").handled(true).setBody(b.constant("no")).id("refuse");
        RouteDefinition route = b.from("seda:in?concurrentConsumers=1").routeId("in").routeDescription("takes orders in");
        route.setProperty("orderId", b.constant("1")).id("remember").wireTap("seda:audit").id("tap");
        ChoiceDefinition choice = named(route.choice(), "kind");
        choice.when(b.simple("${body} == 'x'"));
        named(choice.getWhenClauses().get(0), "when-x");
        choice.to("direct:a");
        choice.getWhenClauses().get(0).getOutputs().get(0).setId("to-a");
        choice.otherwise();
        named(choice.getOtherwise(), "otherwise");
        choice.to("direct:b");
        choice.getOtherwise().getOutputs().get(0).setId("to-b");
        choice.end();
        SplitDefinition split = named(route.split(b.body()), "lines");
        FilterDefinition filter = named(split.filter(b.simple("${body} == 'x'")), "only-x");
        filter.setHeader("h", b.constant(1));
        last(filter, "mark");
        LoopDefinition loop = named(route.loop(2), "twice");
        loop.setHeader("l", b.constant(1));
        last(loop, "again");
        route.multicast().id("both").to("direct:a").id("one").to("direct:b").id("two").end();
        TryDefinition attempt = named(route.doTry(), "attempt");
        attempt.process(CamelTelemetryTest::fail);
        last(attempt, "risky");
        attempt.doCatch(IllegalArgumentException.class);
        named(attempt.getCatchClauses().get(0), "caught");
        attempt.setHeader("c", b.constant(1));
        last(attempt.getCatchClauses().get(0), "mend");
        attempt.end();
        route.setHeader("Authorization", b.constant("Bearer warehouse-secret")).id("sign-in")
            .toD("log:done?password=tap-secret&level=DEBUG").id("call");
        b.from("seda:audit").routeId("audit").log(LoggingLevel.DEBUG, "seen").id("audit-log");
        b.from("direct:a").routeId("a").setBody(b.simple("${body}")).id("a-body");
        b.from("direct:b").routeId("b").errorHandler(b.deadLetterChannel("direct:a")).setBody(b.simple("${body}")).id("b-body");
    }

    @Test
    void every_processor_that_is_recorded_is_a_node_of_its_routes_graph() throws Exception {
        start(CamelTelemetryTest::orders);
        template.sendBody("seda:in", "x");
        template.sendBody("seda:in", "y");
        Map<String, Map<String, Object>> diagrams = diagrams();
        assertEquals(Set.of("in", "audit", "a", "b"), diagrams.keySet());
        Set<String> recorded = new TreeSet<>();
        // each: in, audit, one of a and b, both of the multicast
        for (Execution execution : executions(10)) {
            Map<String, Map<String, Object>> nodes = nodes(diagrams.get(execution.routeId).get("nodes"));
            for (ProcessorRecord one : execution.processors()) {
                assertTrue(nodes.containsKey(one.processorId), one.processorId + " of " + execution.routeId + " is in " + nodes.keySet());
                assertEquals(one.processorType, nodes.get(one.processorId).get("type"));
                recorded.add(one.processorId);
            }
        }
        assertTrue(recorded.containsAll(Set.of("remember", "tap", "kind", "to-a", "to-b", "lines", "only-x", "mark", "twice", "again", "both",
            "one", "two", "risky", "mend", "sign-in", "call", "a-body")), "recorded " + recorded);
    }

    @Test
    void the_edges_say_how_a_node_is_reached() throws Exception {
        start(CamelTelemetryTest::orders);
        Map<String, Object> in = diagrams().get("in");
        List<String> edges = edges(in);
        for (String edge : List.of("in:from flow remember", "remember flow tap", "tap flow kind", "kind branch when-x", "when-x flow to-a",
            "kind branch otherwise", "otherwise flow to-b", "kind flow lines", "lines split only-x", "only-x branch mark", "lines flow twice",
            "twice loop again", "twice flow both", "both multicast one", "both multicast two", "both flow attempt", "attempt flow risky",
            "attempt catch caught", "caught flow mend", "attempt flow sign-in", "sign-in flow call", "in:from error refused",
            "refused flow refuse")) {
            assertTrue(edges.contains(edge), edge + " is not in " + edges);
        }
        assertEquals(23, edges.size(), edges.toString());
        assertEquals("takes orders in", in.get("description"));
        assertEquals("1", in.get("version"));
        Map<String, Map<String, Object>> nodes = nodes(in.get("nodes"));
        assertEquals("seda:in?concurrentConsumers=1", nodes.get("in:from").get("uri"));
        assertEquals("seda:audit", nodes.get("tap").get("uri"));
        assertFalse(nodes.get("remember").containsKey("uri"));
        assertEquals(List.of("mark"), nodes.get("lines").get("children") instanceof List<?> l ? nodes(((Map<?, ?>) l.get(0)).get("children"))
            .keySet().stream().toList() : null);
    }

    @Test
    void a_dead_letter_channel_is_a_node() throws Exception {
        start(CamelTelemetryTest::orders);
        Map<String, Object> b = diagrams().get("b");
        assertEquals("direct:a", nodes(b.get("nodes")).get("b:errorHandler").get("uri"));
        assertTrue(edges(b).contains("b:from error b:errorHandler"));
    }

    @Test
    void the_source_is_camels_own_without_its_secrets() throws Exception {
        start(CamelTelemetryTest::orders);
        Map<String, Object> in = diagrams().get("in");
        String source = (String) in.get("source");
        assertNotNull(source);
        assertEquals("xml", in.get("sourceFormat"));
        assertTrue(source.contains("<choice") && source.contains("id=\"kind\"") && source.contains("seda:in?concurrentConsumers=1"), source);
        assertTrue(source.contains("level=DEBUG"), source);
        String all = in.toString();
        assertFalse(all.contains("warehouse-secret"), all);
        assertFalse(all.contains("tap-secret"), all);
    }

    @Test
    void the_hash_is_over_what_is_sent_and_the_same_in_another_context() throws Exception {
        start(CamelTelemetryTest::orders);
        RouteGraph graph = RouteGraphReader.read(camel, "in", SensitiveKeys.defaults());
        RouteDiagram diagram = RouteDiagram.of(graph);
        Map<String, Object> sent = diagrams().get("in");
        assertEquals(diagram.hash(), sent.get("diagramHash"));
        assertTrue(diagram.hash().matches("[0-9a-f]{64}"));
        Map<String, Object> without = new TreeMap<>(sent);
        without.remove("diagramHash");
        assertEquals(new TreeMap<>(JsonText.object(diagram.json().getBytes(java.nio.charset.StandardCharsets.UTF_8))), without);

        stop();
        start(CamelTelemetryTest::orders);
        assertEquals(diagram.json(), RouteDiagram.of(RouteGraphReader.read(camel, "in", SensitiveKeys.defaults())).json());
    }

    @Test
    void executions_refer_to_the_graph_they_went_through_and_a_changed_route_has_another() throws Exception {
        start(b -> b.from("direct:a").routeId("a").setBody(b.constant("1")).id("one"));
        String first = (String) diagrams().get("a").get("diagramHash");
        template.sendBody("direct:a", "x");
        assertEquals(first, executions(1).get(0).diagramHash);
        runtime.telemetry().tick();
        assertEquals(0, runtime.telemetry().queue("diagrams").size());

        camel.getRouteController().stopRoute("a");
        camel.removeRoute("a");
        assertNull(runtime.diagramHashes().get("a"));
        add(b -> b.from("direct:a").routeId("a").setBody(b.constant("1")).id("one").setHeader("h", b.constant(1)).id("two"));
        String second = (String) diagrams().get("a").get("diagramHash");
        assertNotEquals(first, second);
        template.sendBody("direct:a", "x");
        assertEquals(second, executions(1).get(0).diagramHash);

        runtime.telemetry().registeredAgain();
        assertEquals(List.of(second), told("diagrams").stream().map(d -> d.get("diagramHash")).toList());
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
        start(new RecordingRules(EngineLevel.COMPLETE, CaptureMode.NONE, 0, SensitiveKeys.defaults()), b -> {
            b.onException(IllegalArgumentException.class).handled(true).setBody(b.constant("no"));
            b.from("direct:a").routeId("a").to("direct:b").id("call");
            b.from("direct:b").routeId("b").filter(b.simple("${body} == 'bad'")).process(CamelTelemetryTest::fail).end();
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

    @Test
    void a_log_line_says_which_exchange_route_and_processor_it_belongs_to() throws Exception {
        List<String> after = new ArrayList<>();
        start(b -> {
            RouteDefinition route = b.from("direct:a").routeId("a");
            route.log("one").id("log-one").to("direct:b").id("call");
            SplitDefinition split = named(route.split(b.body().tokenize(",")), "lines");
            split.log("line ${body}");
            last(split, "log-line");
            route.process(e -> {
                LoggerFactory.getLogger("shop").error("broken", new IllegalStateException("why"));
                java.util.logging.Logger.getLogger("shop.jul").info("by the JDK");
            }).id("own");
            RouteDefinition other = b.from("direct:b").routeId("b").log("two").id("log-two");
            named(other.threads(1), "hand-over");
            other.log("three").id("log-three");
        });
        LoggerFactory.getLogger("shop").info("outside");
        template.sendBody("direct:a", "x,y");
        after.add(MDC.get("cameleer.exchangeId") + MDC.get("cameleer.routeId") + MDC.get("cameleer.processorId"));
        List<Execution> all = executions(2);
        Execution a = all.stream().filter(e -> e.routeId.equals("a")).findFirst().orElseThrow();
        List<Map<String, Object>> lines = told("logs");
        Map<Object, Map<String, Object>> by = lines.stream().collect(Collectors.toMap(l -> l.get("message"), l -> l, (x, y) -> y));

        assertFalse(by.get("outside").containsKey("exchangeId"));
        Map<String, List<String>> expected = Map.of("one", List.of("a", "log-one"), "two", List.of("b", "log-two"),
            "three", List.of("b", "log-three"), "line x", List.of("a", "log-line"), "line y", List.of("a", "log-line"),
            "broken", List.of("a", "own"), "by the JDK", List.of("a", "own"));
        expected.forEach((message, where) -> {
            Map<String, Object> line = by.get(message);
            assertNotNull(line, message + " is not in " + lines);
            assertEquals(a.exchangeId, line.get("exchangeId"), message);
            assertEquals(where.get(0), line.get("routeId"), message);
            assertEquals(where.get(1), ((Map<?, ?>) line.get("mdc")).get("cameleer.processorId"), message);
            assertEquals("app", line.get("source"));
        });
        assertEquals("ERROR", by.get("broken").get("level"));
        assertTrue(((String) by.get("broken").get("stackTrace")).startsWith("java.lang.IllegalStateException: why"));
        assertEquals(List.of("nullnullnull"), after);
        Collection<Object> threads = lines.stream().map(l -> l.get("thread")).distinct().toList();
        assertTrue(threads.size() >= 2, "the hand-over changed the thread: " + threads);
        assertEquals(1, lines.stream().filter(l -> "one".equals(l.get("message"))).count());
    }

    @Test
    void nothing_of_an_exchange_stays_on_the_threads_that_worked_for_it() throws Exception {
        ExecutorService pool = Executors.newSingleThreadExecutor();
        List<String> seen = new CopyOnWriteArrayList<>();
        try {
            start(b -> {
                RouteDefinition route = b.from("direct:a").routeId("a");
                ThreadsDefinition threads = named(route.threads(), "hand-over");
                threads.executorService(pool);
                route.process(e -> {
                    LoggerFactory.getLogger("shop").info("a line");
                    seen.add(MDC.get("cameleer.processorId"));
                }).id("there").process(e -> seen.add(MDC.get("cameleer.processorId"))).id("quiet").process(CamelTelemetryTest::fail).id("fails");
            });
            template.request("direct:a", e -> e.getIn().setBody("x"));
            executions(1);
            assertEquals(Arrays.asList("there", null), seen);
            for (String key : List.of("cameleer.exchangeId", "cameleer.routeId", "cameleer.processorId")) {
                assertNull(MDC.get(key));
                assertNull(pool.submit(() -> MDC.get(key)).get());
            }
            assertNull(pool.submit(() -> runtime.telemetry().logs().ids().here()).get());
        } finally {
            pool.shutdownNow();
        }
    }
}
