package io.cameleer.agent.camel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

import org.apache.camel.model.RouteDefinition;
import org.junit.jupiter.api.Test;

import io.cameleer.agent.json.ExecutionWriter;
import io.cameleer.agent.json.JsonBytes;
import io.cameleer.agent.json.JsonText;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.settings.CaptureMode;
import io.cameleer.agent.settings.EngineLevel;
import io.cameleer.agent.settings.Limits;
import io.cameleer.agent.settings.RecordingRules;

/** What is recorded of bodies and headers. */
class RecordedPayloadTest extends CamelRig {

    private void start(Routes routes) throws Exception {
        start(CaptureMode.BOTH, routes);
    }

    @Test
    void a_stream_is_never_taken_from_the_application() throws Exception {
        start(b -> {
            b.from("direct:raw").routeId("raw").streamCaching("false").process(e -> {
                InputStream in = e.getMessage().getBody(InputStream.class);
                e.getMessage().setBody(new String(in.readAllBytes(), StandardCharsets.UTF_8));
            }).id("read");
            b.from("direct:cached").routeId("cached").setHeader("h", b.constant(1)).id("set").convertBodyTo(String.class).id("text");
        });
        for (String route : List.of("raw", "cached")) {
            Object answer = template.requestBody("direct:" + route, new ByteArrayInputStream("stream äöü".getBytes(StandardCharsets.UTF_8)));
            assertEquals("stream äöü", answer);
        }
        Map<String, Execution> by = executions(2);
        assertEquals("[java.io.ByteArrayInputStream]", by.get("raw").input().body());
        assertEquals("stream äöü", by.get("raw").output().body());
        assertEquals("stream äöü", by.get("cached").input().body(), "taken from the first processor, where it was readable");
        assertEquals("stream äöü", record(by.get("cached"), 1).input.body());
    }

    @Test
    void bodies_of_all_kinds_are_pictured_and_kept_as_they_are() throws Exception {
        start(b -> b.from("direct:a").routeId("a").setHeader("h", b.constant(1)).id("set"));
        Number nasty = new Number() {
            @Override
            public int intValue() {
                return 0;
            }

            @Override
            public long longValue() {
                return 0;
            }

            @Override
            public float floatValue() {
                return 0;
            }

            @Override
            public double doubleValue() {
                return 0;
            }

            @Override
            public String toString() {
                throw new IllegalStateException("I do not speak");
            }
        };
        List<Object> bodies = Arrays.asList("text", 42, null, "bytes".getBytes(StandardCharsets.UTF_8), new byte[] {(byte) 0xff, 0, 1},
            List.of("a", 1, Map.of("k", true)), new Object(), nasty);
        for (Object body : bodies) {
            assertEquals(body, template.requestBody("direct:a", body));
        }
        assertEquals(Arrays.asList("text", "42", null, "bytes", "[3 bytes]", "[\"a\",1,{\"k\":true}]", "[java.lang.Object]",
            "[" + nasty.getClass().getTypeName() + "]"), all(bodies.size()).stream().map(e -> e.input().body()).toList());
    }

    @Test
    void sizes_are_bounded_and_what_is_cut_says_so() throws Exception {
        Limits d = Limits.defaults();
        Limits small = new Limits(10, 5, 3, 200, 3_000, 20, d.queueExecutions(), d.queueBytes(), d.inFlight(), 0);
        RecordingRules rules = new RecordingRules(EngineLevel.COMPLETE, CaptureMode.BOTH, 1, SensitiveKeys.defaults());
        start(rules, small, b -> {
            RouteDefinition route = b.from("direct:a").routeId("a");
            named(route.loop(b.constant(100)), "many").setHeader("h", b.constant("0123456789"));
            route.process(CamelRig::fail).id("bad");
        });
        template.send("direct:a", e -> {
            e.getIn().setBody("0123456789ABCDEF");
            for (int i = 0; i < 10; i++) {
                e.getIn().setHeader("k" + i, "0123456789");
            }
        });
        Execution a = executions(1).get("a");
        assertEquals("0123456789", a.input().body());
        assertEquals(16, a.input().bodySize());
        assertEquals(3, a.input().headers().size());
        assertEquals("01234", a.input().headers().values().iterator().next());
        assertEquals(20, a.processors().size());
        assertEquals("82", a.attributes().get("processorsLeftOut"));
        assertTrue(a.failure().stackTrace().length() <= 201);
        assertTrue(a.size() < 10_000, "size " + a.size());
        assertEquals("true", a.attributes().get("payloadLeftOut"));
    }

    @Test
    void an_execution_is_written_as_the_protocol_has_it_with_secrets_masked() throws Exception {
        start(b -> {
            RouteDefinition route = b.from("direct:a").routeId("a");
            named(route.split(b.body()), "s").setHeader("x", b.constant(1));
            route.setBody(b.constant("{\"X-Api-Key\":\"geheim\",\"n\":1}")).id("body");
        });
        template.sendBodyAndHeaders("direct:a", List.of("1"), Map.of("Authorization", "Bearer geheim", "plain", "seen"));
        JsonBytes out = new JsonBytes();
        new ExecutionWriter(out).closed(executions(1).get("a"), SensitiveKeys.defaults());
        String text = new String(out.array(), 0, out.length(), StandardCharsets.UTF_8);
        assertFalse(text.contains("geheim"), text);
        Map<String, Object> written = JsonText.object(text.getBytes(StandardCharsets.UTF_8));
        assertEquals("seen", JsonText.child(written, "inputHeaders").get("plain"));
        assertEquals("***", JsonText.child(written, "inputHeaders").get("Authorization"));
        assertEquals("{\"X-Api-Key\":\"***\",\"n\":1}", written.get("outputBody"));
        List<?> records = (List<?>) written.get("processorExecutions");
        assertEquals(Arrays.asList(null, 1, null), records.stream().map(r -> ((Map<?, ?>) r).get("parentSeq")).toList());
        assertEquals(0, ((Map<?, ?>) records.get(1)).get("splitIndex"));
    }
}
