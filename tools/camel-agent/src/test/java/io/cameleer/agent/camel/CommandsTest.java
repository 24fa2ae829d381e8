package io.cameleer.agent.camel;

import static io.cameleer.agent.send.SigningServer.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.Closeable;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.cameleer.agent.boot.AgentRuntime;
import io.cameleer.agent.json.JsonText;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.send.SigningServer;
import io.cameleer.agent.settings.CaptureMode;
import io.cameleer.agent.settings.EngineLevel;
import io.cameleer.agent.settings.Limits;
import io.cameleer.agent.settings.Permissions;
import io.cameleer.agent.settings.RecordingRules;

/** Every command, signed and over HTTP, against a real Camel context of the Camel on the class path. */
class CommandsTest {

    private SigningServer server;
    private AgentRuntime runtime;
    private Closeable hook;
    private CamelContext camel;
    private ProducerTemplate template;

    private interface Routes {
        void define(RouteBuilder builder) throws Exception;
    }

    private void start(Routes routes) throws Exception {
        start(EngineLevel.COMPLETE, CaptureMode.BOTH, Permissions.all(), routes);
    }

    private void start(EngineLevel level, CaptureMode capture, Permissions permissions, Routes routes) throws Exception {
        server = new SigningServer();
        runtime = new AgentRuntime(server.identity(), new RecordingRules(level, capture, 1, SensitiveKeys.defaults()), Limits.defaults(),
            SigningServer.QUICK, permissions);
        hook = CamelHook.open(runtime);
        camel = new DefaultCamelContext();
        camel.addComponent("in-only", new InOnly());
        camel.addRoutes(new RouteBuilder() {
            @Override
            public void configure() throws Exception {
                routes.define(this);
            }
        });
        camel.getShutdownStrategy().setTimeout(5);
        camel.start();
        template = camel.createProducerTemplate();
    }

    @AfterEach
    void stop() throws Exception {
        hook.close();
        template.stop();
        camel.stop();
        runtime.shutdown();
        server.close();
        assertEquals(0, runtime.counters().get("agent_error"));
    }

    private Map<String, Object> executionOf(String route) throws InterruptedException {
        return server.execution("an execution of " + route, e -> route.equals(e.get("routeId")));
    }

    private static Map<String, Object> record(Map<String, Object> execution, String processor) {
        for (Object each : (List<?>) execution.get("processorExecutions")) {
            @SuppressWarnings("unchecked")
            Map<String, Object> record = (Map<String, Object>) each;
            if (processor.equals(record.get("processorId"))) {
                return record;
            }
        }
        return null;
    }

    private void configure(int version, Map<String, Object> members) throws InterruptedException {
        Map<String, Object> config = new HashMap<>(members);
        config.put("version", version);
        assertEquals(version, ((Number) server.succeed("config-update", Map.of("config", config)).get("version")).intValue());
    }

    private static Map<String, Object> tap(String processor, String target, String language, String expression, String attribute) {
        return Map.of("tapId", attribute, "processorId", processor, "target", target, "language", language, "expression", expression,
            "attribute", attribute, "enabled", true);
    }

    // ---- routes

    @Test
    void a_route_is_stopped_started_suspended_and_resumed_and_the_server_hears_of_it() throws Exception {
        start(b -> {
            b.from("direct:a").routeId("a").log("a");
            b.from("seda:b").routeId("b").log("b");
        });
        for (String[] step : new String[][] {{"stop", "Stopped"}, {"start", "Started"}, {"suspend", "Suspended"}, {"resume", "Started"},
                {"stop", "Stopped"}, {"stop", "Stopped"}, {"start", "Started"}}) {
            assertEquals(Map.of("routeId", "a", "state", step[1]), server.succeed("route-control", Map.of("action", step[0], "routeId", "a")));
            assertEquals(step[1], camel.getRouteController().getRouteStatus("a").name());
            int seen = server.heartbeats().size();
            until("a heartbeat says " + step[1], () -> server.heartbeats().stream().skip(Math.max(0, seen - 1))
                .anyMatch(b -> step[1].equals(JsonText.child(b, "routeStates").get("a"))));
        }
        assertTrue(server.fail("route-control", Map.of("action", "stop", "routeId", "nowhere")).contains("nowhere"));
        assertTrue(server.fail("route-control", Map.of("action", "explode", "routeId", "a")).contains("start, stop"));
    }

    @Test
    void what_is_switched_off_in_the_agent_stays_off() throws Exception {
        start(EngineLevel.COMPLETE, CaptureMode.BOTH, new Permissions(false, false), b -> b.from("direct:a").routeId("a").log("a"));
        assertTrue(server.fail("route-control", Map.of("action", "stop", "routeId", "a")).contains("switched off"));
        assertTrue(server.fail("replay", Map.of("routeId", "a", "exchange", Map.of())).contains("switched off"));
        assertTrue(camel.getRouteController().getRouteStatus("a").isStarted());
    }

    // ---- expressions

    @Test
    void an_expression_gives_what_camel_gives() throws Exception {
        start(b -> b.from("direct:a").routeId("a").log("a"));
        Map<String, Object> headers = Map.of("n", "7");
        for (String[] each : new String[][] {{"${body} of ${header.n}", "order of 7", "java.lang.String"},
                {"${body.length}", "5", "java.lang.Integer"}, {"${header.none}", null, "null"}}) {
            Map<String, Object> data = server.succeed("test-expression",
                Map.of("language", "simple", "expression", each[0], "body", "order", "headers", headers));
            assertEquals(each[1], data.get("result"));
            assertEquals(each[2], data.get("resultType"));
        }
        assertTrue(server.fail("test-expression", Map.of("language", "klingon", "expression", "x")).contains("klingon"));
        assertTrue(server.fail("test-expression", Map.of("language", "simple", "expression", "${nonsense(}")).contains("nonsense"));
        assertFalse(server.succeed("test-expression", Map.of("language", "constant", "expression", server.identity().apiKey()))
            .get("result").toString().contains(server.identity().apiKey()), "the agent's own key");
        String large = "x".repeat(100_000);
        assertTrue(((String) server.succeed("test-expression", Map.of("language", "simple", "expression", "${body}", "body", large))
            .get("result")).startsWith("xxx"));
    }

    // ---- recording

    @Test
    void traced_processors_carry_payload_whatever_level_and_mode_say() throws Exception {
        start(EngineLevel.MINIMAL, CaptureMode.NONE, Permissions.all(), b -> b.from("direct:a").routeId("a")
            .setBody(b.constant("one")).id("one").setBody(b.constant("two")).id("two").setBody(b.constant("three")).id("three"));
        server.succeed("set-traced-processors", Map.of("processors", Map.of("one", "OUTPUT", "two", "INPUT")));
        template.sendBody("direct:a", "x");
        Map<String, Object> a = executionOf("a");
        assertNull(a.get("inputBody"));
        assertEquals("one", record(a, "one").get("outputBody"));
        assertNull(record(a, "one").get("inputBody"));
        assertEquals("one", record(a, "two").get("inputBody"));
        assertNull(record(a, "two").get("outputBody"));
        assertNull(record(a, "three"));
    }

    @Test
    void a_deep_trace_records_all_of_a_route_that_is_otherwise_left_alone() throws Exception {
        start(EngineLevel.NONE, CaptureMode.NONE, Permissions.all(), b -> {
            b.from("direct:outer").routeId("outer").setHeader("x", b.constant(1)).id("before").to("direct:inner").id("call")
                .setHeader("y", b.constant(1)).id("after");
            b.from("direct:inner").routeId("inner").setBody(b.constant("deep")).id("deep");
        });
        template.sendBody("direct:outer", "not seen");
        server.succeed("deep-trace", Map.of("routeId", "inner", "durationSeconds", 60));
        template.sendBody("direct:outer", "seen");
        Map<String, Object> inner = executionOf("inner");
        assertEquals("seen", inner.get("inputBody"));
        assertEquals("deep", record(inner, "deep").get("outputBody"));
        assertEquals("COMPLETE", inner.get("engineLevel"));

        server.succeed("deep-trace", Map.of("correlationId", "corr-7"));
        template.sendBodyAndHeader("direct:outer", "by correlation", "breadcrumbId", "corr-7");
        Map<String, Object> outer = executionOf("outer");
        assertEquals("corr-7", outer.get("correlationId"));
        assertEquals(3, ((List<?>) outer.get("processorExecutions")).size());
        until("all three", () -> server.executions().size() == 3);
    }

    @Test
    void a_configuration_counts_for_the_next_exchange() throws Exception {
        start(b -> {
            b.from("direct:a").routeId("a").to("direct:b").id("call").setBody(b.constant("end")).id("end");
            b.from("direct:b").routeId("b").to("direct:c").id("on").setHeader("h", b.constant(1)).id("after-c");
            b.from("direct:c").routeId("c").log("c");
        });
        configure(1, Map.of("samplingRate", 0));
        template.sendBody("direct:a", "unsampled");
        configure(2, Map.of("routeRecording", Map.of("b", false), "compressSuccess", true));
        template.sendBody("direct:a", "story");
        Map<String, Object> a = executionOf("a");
        Map<String, Object> c = executionOf("c");
        assertEquals(a.get("executionId"), c.get("parentExecutionId"), "the route between is left out, the story goes on");
        assertEquals(a.get("correlationId"), c.get("correlationId"));
        assertNotNull(record(a, "end"), "after the route that is left out");
        assertNull(a.get("inputBody"), "the payload of a success is left out");
        assertNull(record(a, "end").get("outputBody"));
        assertEquals(2, server.executions().size());

        configure(3, Map.of("engineLevel", "MINIMAL", "payloadCaptureMode", "INPUT"));
        template.sendBody("direct:c", "minimal");
        Map<String, Object> minimal = server.execution("minimal", e -> "minimal".equals(e.get("inputBody")));
        assertEquals(List.of(), minimal.get("processorExecutions"));
        assertNull(minimal.get("outputBody"));
        configure(4, Map.of("engineLevel", "NONE"));
        template.sendBody("direct:c", "none");
        server.run("config-update", Map.of("config", Map.of("version", 3, "engineLevel", "COMPLETE")));
        template.sendBody("direct:c", "none, an older version changes nothing");
        assertEquals(EngineLevel.NONE, runtime.config().rules().level());
        configure(5, Map.of());
        template.sendBody("direct:c", "back to the agent's own");
        Map<String, Object> back = server.execution("own", e -> "back to the agent's own".equals(e.get("inputBody")));
        assertEquals("COMPLETE", back.get("engineLevel"));
        assertEquals(4, server.executions().size());
    }

    @Test
    void headers_and_body_members_of_sensitive_names_stay_in_the_jvm() throws Exception {
        start(b -> b.from("direct:a").routeId("a").setBody(b.simple("${body}")).id("same"));
        configure(1, Map.of("sensitiveKeys", List.of("iban"), "mergedSensitiveKeys", List.of("*secret*", "iban"),
            "taps", List.of(tap("same", "INPUT", "simple", "${header.Authorization}", "stolen"),
                tap("same", "INPUT", "simple", "${body}", "whole"), tap("same", "OUTPUT", "simple", "${header.plain}", "my-secret"))));
        template.sendBodyAndHeaders("direct:a", "{\"iban\":\"geheim\",\"deep\":{\"x-secret-y\":[\"geheim\"]},\"n\":1}",
            Map.of("Authorization", "Bearer geheim", "clientSecret", "geheim", "plain", "seen"));
        Map<String, Object> a = executionOf("a");
        assertFalse(a.toString().contains("geheim"), a.toString());
        assertEquals("seen", JsonText.child(a, "inputHeaders").get("plain"));
        assertEquals("***", JsonText.child(a, "inputHeaders").get("Authorization"));
        Map<String, Object> attributes = JsonText.child(a, "attributes");
        assertEquals("***", attributes.get("stolen"));
        assertEquals("{\"iban\":\"***\",\"deep\":{\"x-secret-y\":\"***\"},\"n\":1}", attributes.get("whole"));
        assertEquals("***", attributes.get("my-secret"), "an attribute's name counts too");
    }

    // ---- taps

    @Test
    void a_tap_is_an_attribute_of_its_processor_and_of_the_execution() throws Exception {
        start(b -> b.from("direct:a").routeId("a").setBody(b.constant("after")).id("change").log("x").id("x"));
        configure(1, Map.of("taps", List.of(
            tap("change", "INPUT", "simple", "${body}", "in"), tap("change", "OUTPUT", "simple", "${body}-${routeId}", "out"),
            tap("change", "OUTPUT", "simple", "${header.long}", "long"), tap("change", "OUTPUT", "simple", "${header.none}", "absent"),
            tap("change", "OUTPUT", "klingon", "x", "unknown"), tap("change", "OUTPUT", "simple", "${body.noSuchMethod}", "failing"),
            Map.of("processorId", "change", "target", "INPUT", "language", "simple", "expression", "${body}", "attribute", "off",
                "enabled", false))));
        assertEquals("after", template.requestBodyAndHeader("direct:a", "before", "long", "y".repeat(5_000)));
        Map<String, Object> a = executionOf("a");
        for (Map<String, Object> where : List.of(a, record(a, "change"))) {
            Map<String, Object> attributes = JsonText.child(where, "attributes");
            assertEquals("before", attributes.get("in"));
            assertEquals("after-a", attributes.get("out"));
            assertEquals(1_000, ((String) attributes.get("long")).length());
            assertFalse(attributes.containsKey("absent") || attributes.containsKey("unknown") || attributes.containsKey("failing")
                || attributes.containsKey("off"), attributes.toString());
        }
        assertEquals("COMPLETED", a.get("status"));
        assertEquals(2, runtime.counters().get("tap_failed"));
        assertEquals(Map.of(), JsonText.child(record(a, "x"), "attributes"));
    }

    @Test
    void a_tap_takes_nothing_from_a_stream_and_changes_nothing() throws Exception {
        start(b -> {
            b.from("direct:raw").routeId("raw").streamCaching("false").setHeader("h", b.constant(1)).id("raw-h").convertBodyTo(String.class);
            b.from("direct:cached").routeId("cached").setHeader("h", b.constant(1)).id("cached-h").convertBodyTo(String.class);
        });
        configure(1, Map.of("taps", List.of(tap("raw-h", "INPUT", "simple", "${body}", "body"), tap("raw-h", "OUTPUT", "simple", "${header.h}", "h"),
            tap("cached-h", "INPUT", "simple", "${bodyAs(String)}", "body"), tap("cached-h", "OUTPUT", "simple", "${body}", "again"))));
        for (String route : List.of("raw", "cached")) {
            byte[] bytes = ("stream of " + route).getBytes(StandardCharsets.UTF_8);
            assertEquals("stream of " + route, template.requestBody("direct:" + route, new ByteArrayInputStream(bytes)));
        }
        Map<String, Object> cached = JsonText.child(executionOf("cached"), "attributes");
        assertEquals("stream of cached", cached.get("body"));
        assertEquals("stream of cached", cached.get("again"));
        Map<String, Object> raw = JsonText.child(executionOf("raw"), "attributes");
        assertEquals("1", raw.get("h"));
        assertFalse(raw.containsKey("body"), raw.toString());
    }

    // ---- replay

    private static void checkOrder(Exchange exchange) {
        if (exchange.getMessage().getBody(String.class).contains("bad")) {
            throw new IllegalArgumentException("no such article");
        }
        exchange.getMessage().setBody("done: " + exchange.getMessage().getBody(String.class));
    }

    @Test
    void a_failed_exchange_with_an_edited_body_succeeds_and_is_linked_to_the_original() throws Exception {
        start(b -> {
            b.from("direct:orders").routeId("orders").process(CommandsTest::checkOrder).id("check").to("direct:next").id("call");
            b.from("direct:next").routeId("next").log("next");
        });
        template.send("direct:orders", e -> e.getIn().setBody("bad order"));
        String original = (String) server.execution("the failure", e -> "FAILED".equals(e.get("status"))).get("executionId");

        Map<String, Object> data = server.succeed("replay", Map.of("routeId", "orders", "originalExecutionId", original,
            "exchange", Map.of("body", "good order", "headers", Map.of("tenant", "t1", "Authorization", "***"))));
        assertEquals("COMPLETED", data.get("status"));
        assertEquals("done: good order", JsonText.child(data, "output").get("body"));
        assertEquals("t1", JsonText.child(JsonText.child(data, "output"), "headers").get("tenant"));
        Map<String, Object> replayed = server.execution("the replay", e -> data.get("executionId").equals(e.get("executionId")));
        assertEquals(original, replayed.get("replayOf"));
        assertEquals(data.get("exchangeId"), replayed.get("exchangeId"));
        assertEquals("good order", replayed.get("inputBody"));
        assertEquals(Map.of("tenant", "t1"), JsonText.child(replayed, "inputHeaders"), "what was masked is not sent again");
        Map<String, Object> next = executionOf("next");
        assertEquals(data.get("executionId"), next.get("parentExecutionId"));
        assertNull(next.get("replayOf"), "only the one that was asked for");

        Map<String, Object> again = server.succeed("replay", Map.of("routeId", "orders", "originalExecutionId", original,
            "exchange", Map.of("body", "still bad")));
        assertEquals("FAILED", again.get("status"));
        assertEquals("java.lang.IllegalArgumentException: no such article", again.get("errorMessage"));
    }

    @ParameterizedTest
    @CsvSource({"direct:in, direct://in", "seda:in, seda://in", "timer:in?delay=-1&repeatCount=1, timer://in?delay=-1&repeatCount=1",
        "timer:in?delay=3600000, timer://in?delay=3600000", "in-only:in, in-only://in"})
    void every_kind_of_route_can_be_replayed(String from, String endpoint) throws Exception {
        start(b -> b.from(from).routeId("r").process(CommandsTest::checkOrder).id("check"));
        Map<String, Object> data = server.succeed("replay", Map.of("routeId", "r", "originalExecutionId", "original-1",
            "exchange", Map.of("body", "replayed", "headers", Map.of("h", "v"))));
        Map<String, Object> execution = server.execution("the replay", e -> data.get("executionId").equals(e.get("executionId")));
        assertEquals("COMPLETED", execution.get("status"));
        assertEquals("original-1", execution.get("replayOf"));
        assertEquals(endpoint, execution.get("fromEndpoint"));
        assertEquals("done: replayed", execution.get("outputBody"));
        assertEquals("v", JsonText.child(execution, "inputHeaders").get("h"));
        assertNotNull(record(execution, "check"));
        assertEquals(0, camel.getInflightRepository().size());
    }

    @Test
    void a_replay_is_recorded_even_where_nothing_is() throws Exception {
        start(EngineLevel.NONE, CaptureMode.NONE, Permissions.all(), b -> {
            b.from("direct:a").routeId("a").to("direct:b").id("call").setBody(b.constant("private")).id("end");
            b.from("direct:b").routeId("b").log("b");
        });
        Map<String, Object> data = server.succeed("replay", Map.of("routeId", "a", "exchange", Map.of("body", "x"), "originalExecutionId", "o"));
        Map<String, Object> execution = executionOf("a");
        assertEquals(data.get("executionId"), execution.get("executionId"));
        assertEquals(2, ((List<?>) execution.get("processorExecutions")).size());
        assertFalse(data.containsKey("output"), "capture mode NONE counts for the answer too");
        assertEquals(1, server.executions().size());
    }

    @Test
    void a_replay_that_cannot_be_is_refused_in_words() throws Exception {
        start(b -> b.from("direct:a").routeId("a").noAutoStartup().log("a"));
        assertTrue(server.fail("replay", Map.of("routeId", "a", "exchange", Map.of())).contains("Stopped"));
        assertTrue(server.fail("replay", Map.of("routeId", "nowhere", "exchange", Map.of())).contains("nowhere"));
    }

    @Test
    void the_answer_of_a_replay_is_masked_and_bounded() throws Exception {
        start(b -> b.from("direct:a").routeId("a").process(e -> {
            e.getMessage().setBody("{\"X-Api-Key\":\"geheim\",\"umlauts\":\"" + "ä€".repeat(40_000) + "\"}");
            e.getMessage().setHeader("Set-Cookie", "geheim");
            for (int i = 0; i < 90; i++) {
                e.getMessage().setHeader("h" + i, "€".repeat(4_096));
            }
        }).id("p"));
        Map<String, Object> data = server.succeed("replay", Map.of("routeId", "a", "exchange", Map.of("body", "x"), "originalExecutionId", "o"));
        assertEquals(Boolean.TRUE, data.get("outputLeftOut"));
        assertNotNull(data.get("executionId"));
        assertFalse(executionOf("a").toString().contains("geheim"));
    }
}
