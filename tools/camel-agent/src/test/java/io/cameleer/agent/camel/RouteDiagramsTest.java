package io.cameleer.agent.camel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

import org.apache.camel.LoggingLevel;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.model.ChoiceDefinition;
import org.apache.camel.model.FilterDefinition;
import org.apache.camel.model.LoopDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.SplitDefinition;
import org.apache.camel.model.TryDefinition;
import org.junit.jupiter.api.Test;

import io.cameleer.agent.diagram.RouteDiagram;
import io.cameleer.agent.diagram.RouteGraph;
import io.cameleer.agent.json.JsonText;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.ProcessorRecord;
import io.cameleer.agent.settings.CaptureMode;

/** The graphs of the routes, and how executions refer to them. */
class RouteDiagramsTest extends CamelRig {

    private void start(Routes routes) throws Exception {
        start(CaptureMode.NONE, routes);
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
        attempt.process(CamelRig::fail);
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
        start(RouteDiagramsTest::orders);
        template.sendBody("seda:in", "x");
        template.sendBody("seda:in", "y");
        Map<String, Map<String, Object>> diagrams = diagrams();
        assertEquals(Set.of("in", "audit", "a", "b"), diagrams.keySet());
        Set<String> recorded = new TreeSet<>();
        // each: in, audit, one of a and b, both of the multicast
        for (Execution execution : all(10)) {
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
        start(RouteDiagramsTest::orders);
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
        start(RouteDiagramsTest::orders);
        Map<String, Object> b = diagrams().get("b");
        assertEquals("direct:a", nodes(b.get("nodes")).get("b:errorHandler").get("uri"));
        assertTrue(edges(b).contains("b:from error b:errorHandler"));
    }

    @Test
    void the_source_is_camels_own_without_its_secrets() throws Exception {
        start(RouteDiagramsTest::orders);
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
        start(RouteDiagramsTest::orders);
        RouteGraph graph = RouteGraphReader.read(camel, "in", SensitiveKeys.defaults());
        RouteDiagram diagram = RouteDiagram.of(graph);
        Map<String, Object> sent = diagrams().get("in");
        assertEquals(diagram.hash(), sent.get("diagramHash"));
        assertTrue(diagram.hash().matches("[0-9a-f]{64}"));
        Map<String, Object> without = new TreeMap<>(sent);
        without.remove("diagramHash");
        assertEquals(new TreeMap<>(JsonText.object(diagram.json().getBytes(java.nio.charset.StandardCharsets.UTF_8))), without);

        stop();
        start(RouteDiagramsTest::orders);
        assertEquals(diagram.json(), RouteDiagram.of(RouteGraphReader.read(camel, "in", SensitiveKeys.defaults())).json());
    }

    @Test
    void executions_refer_to_the_graph_they_went_through_and_a_changed_route_has_another() throws Exception {
        start(b -> b.from("direct:a").routeId("a").setBody(b.constant("1")).id("one"));
        String first = (String) diagrams().get("a").get("diagramHash");
        template.sendBody("direct:a", "x");
        assertEquals(first, all(1).get(0).diagramHash);
        runtime.telemetry().tick();
        assertEquals(0, runtime.telemetry().queue("diagrams").size());

        camel.getRouteController().stopRoute("a");
        camel.removeRoute("a");
        assertNull(runtime.diagramHashes().get("a"));
        add(b -> b.from("direct:a").routeId("a").setBody(b.constant("1")).id("one").setHeader("h", b.constant(1)).id("two"));
        String second = (String) diagrams().get("a").get("diagramHash");
        assertNotEquals(first, second);
        template.sendBody("direct:a", "x");
        assertEquals(second, all(1).get(0).diagramHash);

        runtime.telemetry().registeredAgain();
        assertEquals(List.of(second), told("diagrams").stream().map(d -> d.get("diagramHash")).toList());
    }
}
