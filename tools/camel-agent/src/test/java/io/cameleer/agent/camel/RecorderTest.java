package io.cameleer.agent.camel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

import org.apache.camel.Exchange;
import org.apache.camel.LoggingLevel;
import org.apache.camel.model.FilterDefinition;
import org.apache.camel.model.LoopDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.SplitDefinition;
import org.junit.jupiter.api.Test;

import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.ProcessorRecord;
import io.cameleer.agent.model.Status;
import io.cameleer.agent.settings.CaptureMode;
import io.cameleer.agent.settings.EngineLevel;
import io.cameleer.agent.settings.Limits;
import io.cameleer.agent.settings.RecordingRules;

/** What is recorded of the ways that exchanges take. */
class RecorderTest extends CamelRig {

    private void start(Routes routes) throws Exception {
        start(CaptureMode.BOTH, routes);
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
            start(new RecordingRules(c.level, c.capture, c.sampling, SensitiveKeys.defaults()), Limits.defaults(), b -> {
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
    void too_many_in_flight_are_left_out_and_counted() throws Exception {
        Limits d = Limits.defaults();
        Limits one = new Limits(d.body(), d.header(), d.headers(), d.stackTrace(), d.execution(), d.processors(), 100, 1 << 20, 1, 0);
        RecordingRules rules = new RecordingRules(EngineLevel.COMPLETE, CaptureMode.BOTH, 1, SensitiveKeys.defaults());
        start(rules, one, b -> {
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
