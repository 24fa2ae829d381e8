package io.cameleer.agent.camel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.Closeable;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.LoggingLevel;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.FilterDefinition;
import org.apache.camel.model.LoopDefinition;
import org.apache.camel.model.OptionalIdentifiedDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.SplitDefinition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import io.cameleer.agent.boot.AgentRuntime;
import io.cameleer.agent.json.ExecutionWriter;
import io.cameleer.agent.json.JsonBytes;
import io.cameleer.agent.json.JsonText;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.ProcessorRecord;
import io.cameleer.agent.model.Status;
import io.cameleer.agent.send.Timing;
import io.cameleer.agent.settings.CaptureMode;
import io.cameleer.agent.settings.EngineLevel;
import io.cameleer.agent.settings.Limits;
import io.cameleer.agent.settings.RecordingRules;

/** Real Camel contexts, hooked the way the agent hooks them, on the Camel version of the class path. */
class RecorderTest {

    private AgentRuntime runtime;
    private Closeable hook;
    private CamelContext camel;
    private ProducerTemplate template;

    private interface Routes {
        void define(RouteBuilder builder) throws Exception;
    }

    private void start(Routes routes) throws Exception {
        start(EngineLevel.COMPLETE, CaptureMode.BOTH, 1, Limits.defaults(), routes);
    }

    private void start(EngineLevel level, CaptureMode capture, double sampling, Limits limits, Routes routes) throws Exception {
        runtime = new AgentRuntime(null, new RecordingRules(level, capture, sampling, SensitiveKeys.defaults()), limits, Timing.defaults());
        hook = CamelHook.open(runtime);
        camel = new DefaultCamelContext();
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
        // first of all: a hook that stays open would watch the contexts of the other tests
        hook.close();
        if (template != null) {
            template.stop();
        }
        camel.stop();
        assertEquals(0, runtime.counters().get("agent_error"));
    }

    /** The executions by route id, once that many have ended. */
    private Map<String, Execution> executions(int count) throws InterruptedException {
        return all(count).stream().collect(Collectors.toMap(e -> e.routeId, e -> e));
    }

    private List<Execution> all(int count) throws InterruptedException {
        long deadline = System.nanoTime() + 20_000_000_000L;
        List<Execution> taken = new ArrayList<>();
        while (taken.size() < count) {
            assertTrue(System.nanoTime() < deadline, "only " + taken.size() + " of " + count + " executions ended within 20 s");
            taken.addAll(runtime.queue().take(100, Integer.MAX_VALUE, 50));
        }
        assertEquals(count, taken.size() + runtime.queue().size());
        return taken;
    }

    /** One line a record: {@code seq(parent) type id status}. */
    private static List<String> lines(Execution execution) {
        return execution.processors().stream()
            .map(r -> r.seq + "(" + (r.parent == null ? 0 : r.parent.seq) + ") " + r.processorType + " " + r.processorId + " " + r.status)
            .toList();
    }

    private static ProcessorRecord record(Execution execution, int seq) {
        return execution.processors().get(seq - 1);
    }

    // Camel's own id() of these blocks has another signature in later versions; the classes here run on both.

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

    @Test
    void a_route_its_sub_route_and_a_seda_route_are_one_story() throws Exception {
        start(b -> {
            b.from("direct:a").routeId("a").setHeader("h", b.constant("v")).id("set").to("direct:b").id("call").to("seda:c").id("queue");
            b.from("direct:b").routeId("b").setBody(b.constant("from b")).id("b-body");
            b.from("seda:c").routeId("c").log(LoggingLevel.DEBUG, "x").id("c-log");
        });
        Exchange done = template.request("direct:a", e -> e.getIn().setBody("hello"));
        Map<String, Execution> by = executions(3);
        Execution a = by.get("a");

        assertEquals(List.of("1(0) setHeader set COMPLETED", "2(0) to call COMPLETED", "3(0) to queue COMPLETED"), lines(a));
        assertEquals(List.of("1(0) setBody b-body COMPLETED"), lines(by.get("b")));
        assertEquals(Status.COMPLETED, a.status());
        assertEquals("hello", a.input().body());
        assertEquals("from b", a.output().body());
        assertEquals("v", a.output().headers().get("h"));
        assertEquals("direct://b", record(a, 2).endpointUri);
        assertEquals("direct://a", a.fromEndpoint);
        assertEquals("seda://c", by.get("c").fromEndpoint);
        assertNull(a.parentExecutionId);
        for (String route : List.of("b", "c")) {
            assertEquals(a.executionId, by.get(route).parentExecutionId);
            assertEquals(a.correlationId, by.get(route).correlationId);
        }
        assertEquals(a.exchangeId, by.get("b").exchangeId);
        assertEquals("from b", done.getMessage().getBody());
        assertTrue(done.getMessage().getHeaders().keySet().stream().noneMatch(h -> h.startsWith("X-Cameleer")));
    }

    @Test
    void the_headers_of_a_calling_application_are_followed_and_taken_off() throws Exception {
        start(b -> b.from("direct:a").routeId("a").setBody(b.simple("${headers}")).id("see"));
        template.sendBodyAndHeaders("direct:a", "x", Map.of("X-Cameleer-CorrelationId", "corr-1", "x-cameleer-executionid", "exec-1"));
        template.sendBodyAndHeaders("direct:a", "x", Map.of("X-Cameleer-CorrelationId", "no good\n"));
        List<Execution> both = all(2);
        assertEquals("corr-1", both.get(0).correlationId);
        assertEquals("exec-1", both.get(0).parentExecutionId);
        assertFalse(both.get(0).output().body().contains("corr-1"));
        assertEquals(both.get(1).executionId, both.get(1).correlationId);
    }

    @Test
    void split_multicast_and_loop_say_which_round_it_was() throws Exception {
        start(b -> {
            RouteDefinition route = b.from("direct:a").routeId("a");
            SplitDefinition split = named(route.split(b.body()), "lines");
            FilterDefinition filter = named(split.filter(b.simple("${body} == 'y'")), "only-y");
            filter.setHeader("h", b.constant(1));
            last(filter, "mark");
            LoopDefinition loop = named(route.loop(2), "twice");
            loop.setHeader("l", b.constant(1));
            last(loop, "again");
            route.multicast().id("both").to("direct:b").id("one").to("direct:b").id("two").end()
                .setHeader("after", b.constant(1)).id("after");
            b.from("direct:b").routeId("b").setHeader("b", b.constant(1)).id("in-b");
        });
        template.sendBody("direct:a", List.of("x", "y"));
        Execution a = all(3).stream().filter(e -> e.routeId.equals("a")).findFirst().orElseThrow();
        assertEquals(List.of("1(0) split lines COMPLETED", "2(1) filter only-y COMPLETED", "3(1) filter only-y COMPLETED",
            "4(3) setHeader mark COMPLETED", "5(0) loop twice COMPLETED", "6(5) setHeader again COMPLETED", "7(5) setHeader again COMPLETED",
            "8(0) multicast both COMPLETED", "9(8) to one COMPLETED", "10(8) to two COMPLETED", "11(0) setHeader after COMPLETED"), lines(a));
        assertEquals(Arrays.asList(null, 0, 1, 1, null, null, null, null, null, null, null), a.processors().stream().map(r -> r.splitIndex).toList());
        assertEquals(Arrays.asList(null, null, null, null, null, 0, 1, null, null, null, null), a.processors().stream().map(r -> r.loopIndex).toList());
        assertEquals(Arrays.asList(0, 1), a.processors().subList(8, 10).stream().map(r -> r.multicastIndex).toList());
        assertEquals(2, record(a, 2).iterationSize);
        assertFalse(record(a, 2).filterMatched);
        assertTrue(record(a, 3).filterMatched);
    }

    @Test
    void an_unhandled_exception_is_on_its_processor_and_on_the_execution() throws Exception {
        start(b -> b.from("direct:a").routeId("a").choice().id("way").when(b.simple("true")).process(RecorderTest::fail).id("bad").end());
        Exchange done = template.send("direct:a", e -> e.getIn().setBody("x"));
        assertTrue(done.getException() instanceof IllegalArgumentException);
        Execution a = executions(1).get("a");
        assertEquals(List.of("1(0) choice way FAILED", "2(1) process bad FAILED"), lines(a));
        assertEquals(Status.FAILED, a.status());
        assertEquals("java.lang.IllegalArgumentException: not like this", a.failure().message());
        assertTrue(record(a, 2).failure.stackTrace().contains("RecorderTest.fail"));
        assertNull(record(a, 1).failure.stackTrace(), "only where it happened");
        assertEquals(Map.of(), a.attributes());
    }

    private enum Handling { ON_EXCEPTION, ON_EXCEPTION_WITHOUT_STEPS, DEAD_LETTER, ROLLBACK_MARK }

    @ParameterizedTest
    @EnumSource(Handling.class)
    void a_failure_that_an_error_handler_took_is_still_a_failed_execution(Handling handling) throws Exception {
        start(b -> {
            if (handling == Handling.DEAD_LETTER) {
                b.errorHandler(b.deadLetterChannel("direct:dead").maximumRedeliveries(0));
            } else if (handling == Handling.ON_EXCEPTION) {
                b.onException(Exception.class).handled(true).setBody(b.constant("sorry")).id("sorry");
            } else if (handling == Handling.ON_EXCEPTION_WITHOUT_STEPS) {
                b.onException(Exception.class).handled(true);
            }
            if (handling == Handling.ROLLBACK_MARK) {
                b.from("direct:a").routeId("a").markRollbackOnly().id("bad");
            } else {
                b.from("direct:a").routeId("a").process(RecorderTest::fail).id("bad").setHeader("never", b.constant(1));
            }
            b.from("direct:dead").routeId("dead").log(LoggingLevel.DEBUG, "dead").id("bury");
        });
        Exchange done = template.send("direct:a", e -> e.getIn().setBody("x"));
        assertNull(done.getException());
        Execution a = executions(handling == Handling.DEAD_LETTER ? 2 : 1).get("a");
        assertEquals(Status.FAILED, a.status());
        if (handling != Handling.ROLLBACK_MARK) {
            assertEquals("1(0) process bad FAILED", lines(a).get(0));
            assertEquals("java.lang.IllegalArgumentException: not like this", a.failure().message());
            assertEquals("true", a.attributes().get("failureHandled"));
        }
    }

    @Test
    void a_route_that_an_error_handler_calls_is_not_failed_itself() throws Exception {
        start(b -> {
            b.errorHandler(b.deadLetterChannel("direct:dead").maximumRedeliveries(0));
            b.from("direct:a").routeId("a").process(RecorderTest::fail).id("bad");
            b.from("direct:dead").routeId("dead").setHeader("buried", b.constant(1)).id("bury");
        });
        template.send("direct:a", e -> e.getIn().setBody("x"));
        assertEquals(Status.COMPLETED, executions(2).get("dead").status());
    }

    @Test
    void what_the_route_itself_catches_or_continues_is_completed() throws Exception {
        start(b -> {
            b.onException(IllegalStateException.class).continued(true);
            b.from("direct:caught").routeId("caught").doTry().id("try").process(RecorderTest::fail).id("bad")
                .doCatch(IllegalArgumentException.class).setBody(b.constant("caught")).id("catch").end();
            b.from("direct:continued").routeId("continued").process(e -> {
                throw new IllegalStateException("never mind");
            }).id("worse").setBody(b.constant("on")).id("on");
        });
        template.sendBody("direct:caught", "x");
        template.sendBody("direct:continued", "x");
        Map<String, Execution> by = executions(2);
        assertEquals(Status.COMPLETED, by.get("caught").status());
        assertEquals(List.of("1(0) process bad FAILED", "2(0) setBody catch COMPLETED"), lines(by.get("caught")));
        assertEquals(Status.COMPLETED, by.get("continued").status());
        assertEquals(List.of("1(0) process worse FAILED", "2(0) setBody on COMPLETED"), lines(by.get("continued")));
    }

    @Test
    void each_attempt_of_a_redelivery_is_seen() throws Exception {
        int[] attempts = {0};
        start(b -> {
            b.onException(IllegalStateException.class).maximumRedeliveries(3).redeliveryDelay(1);
            b.from("direct:a").routeId("a").process(e -> {
                if (++attempts[0] < 3) {
                    throw new IllegalStateException("attempt " + attempts[0]);
                }
            }).id("flaky").setHeader("later", b.constant(1)).id("later");
        });
        template.sendBody("direct:a", "x");
        Execution a = executions(1).get("a");
        assertEquals(List.of("1(0) process flaky FAILED", "2(0) process flaky FAILED", "3(0) process flaky COMPLETED",
            "4(0) setHeader later COMPLETED"), lines(a));
        assertEquals(Arrays.asList(null, "1", "2", null), a.processors().stream().map(r -> r.attributes.get("redelivery")).toList());
        assertEquals(Status.COMPLETED, a.status());
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
        start(EngineLevel.COMPLETE, CaptureMode.BOTH, 1, small, b -> {
            RouteDefinition route = b.from("direct:a").routeId("a");
            named(route.loop(b.constant(100)), "many").setHeader("h", b.constant("0123456789"));
            route.process(RecorderTest::fail).id("bad");
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
    void level_capture_and_sampling_are_obeyed() throws Exception {
        record Case(EngineLevel level, CaptureMode capture, double sampling, int executions, int processors, boolean in, boolean out,
                    boolean inner) {
        }
        for (Case c : List.of(
                new Case(EngineLevel.NONE, CaptureMode.BOTH, 1, 0, 0, false, false, false),
                new Case(EngineLevel.COMPLETE, CaptureMode.BOTH, 0, 0, 0, false, false, false),
                new Case(EngineLevel.MINIMAL, CaptureMode.BOTH, 1, 2, 0, true, true, false),
                new Case(EngineLevel.REGULAR, CaptureMode.INPUT, 1, 2, 2, true, false, false),
                new Case(EngineLevel.COMPLETE, CaptureMode.OUTPUT, 1, 2, 2, false, true, true),
                new Case(EngineLevel.COMPLETE, CaptureMode.NONE, 1, 2, 2, false, false, false))) {
            start(c.level, c.capture, c.sampling, Limits.defaults(), b -> {
                b.from("direct:a").routeId("a").setHeader("x", b.constant(1)).id("x").to("direct:b").id("call");
                b.from("direct:b").routeId("b").setHeader("x", b.constant(1)).id("y");
            });
            template.sendBody("direct:a", "x");
            if (c.executions == 0) {
                assertEquals(0, runtime.queue().size());
            } else {
                Execution a = executions(c.executions).get("a");
                assertEquals(c.processors, a.processors().size(), c.toString());
                assertEquals(c.in, a.input() != null, c.toString());
                assertEquals(c.out, a.output() != null, c.toString());
                assertEquals(c.inner, !a.processors().isEmpty() && record(a, 1).output != null, c.toString());
            }
            stop();
        }
    }

    @Test
    void what_an_aggregator_releases_later_is_an_execution_of_its_own() throws Exception {
        start(b -> b.from("seda:a").routeId("a").aggregate(b.constant(true), (old, now) -> old == null ? now : old).completionSize(2).id("collect")
            .setHeader("whole", b.constant(1)).id("after").end());
        template.sendBody("seda:a", "1");
        template.sendBody("seda:a", "2");
        List<Execution> three = all(3);
        List<Execution> later = three.stream().filter(e -> lines(e).equals(List.of("1(0) setHeader after COMPLETED"))).toList();
        List<Execution> within = three.stream().filter(e -> lines(e).size() == 2).toList();
        assertEquals(1, later.size() + within.size(), three.stream().map(RecorderTest::lines).toList().toString());
        for (Execution execution : later) {
            assertNotNull(execution.parentExecutionId);
        }
    }

    @Test
    void parallel_branches_and_other_threads_lose_nothing() throws Exception {
        start(b -> {
            SplitDefinition split = named(b.from("direct:a").routeId("a").split(b.body()).parallelProcessing(), "lines");
            split.threads(4);
            split.setHeader("x", b.body());
            last(split, "x");
        });
        List<Integer> many = java.util.stream.IntStream.range(0, 200).boxed().toList();
        template.sendBody("direct:a", many);
        Execution a = executions(1).get("a");
        List<ProcessorRecord> x = a.processors().stream().filter(r -> r.processorId.equals("x")).toList();
        assertEquals(200, x.size());
        assertEquals(many, x.stream().map(r -> r.splitIndex).sorted().toList());
        assertTrue(a.processors().stream().allMatch(r -> r.status == Status.COMPLETED));
        assertEquals(a.processors().size(), a.processors().stream().map(r -> r.seq).distinct().count());
    }

    @Test
    void an_exchange_that_ends_while_camel_stops_is_not_lost() throws Exception {
        java.util.concurrent.CountDownLatch inside = new java.util.concurrent.CountDownLatch(1);
        start(b -> b.from("seda:a").routeId("a").process(e -> {
            inside.countDown();
            while (!e.getContext().isStopping()) {
                Thread.sleep(5);
            }
        }).id("slow"));
        template.sendBody("seda:a", "x");
        inside.await();
        camel.stop();
        assertEquals(Status.COMPLETED, executions(1).get("a").status());
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

    @Test
    void too_many_in_flight_are_left_out_and_counted() throws Exception {
        Limits d = Limits.defaults();
        Limits one = new Limits(d.body(), d.header(), d.headers(), d.stackTrace(), d.execution(), d.processors(), 100, 1 << 20, 1, 0);
        start(EngineLevel.COMPLETE, CaptureMode.BOTH, 1, one, b -> {
            b.from("direct:a").routeId("a").to("direct:b").id("call");
            b.from("direct:b").routeId("b").setBody(b.constant("fine")).id("body");
        });
        assertEquals("fine", template.requestBody("direct:a", "x"));
        assertEquals("a", all(1).get(0).routeId);
        assertEquals(1, runtime.counters().get("in_flight_limit"));
    }

    @Test
    void the_state_of_the_routes_is_known() throws Exception {
        start(b -> {
            b.from("direct:a").routeId("a").log("a");
            b.from("direct:b").routeId("b").noAutoStartup().log("b");
            b.from("direct:c").routeId("c").log("c");
        });
        camel.getRouteController().suspendRoute("c");
        assertEquals(Map.of("a", "Started", "b", "Stopped", "c", "Suspended"), runtime.routeStates());
        assertTrue(runtime.started());
        assertEquals(System.getProperty("expected.camel.version", camel.getVersion()), runtime.camelVersion());
    }
}
