package io.cameleer.agent.camel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;

import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.SplitDefinition;
import org.apache.camel.model.ThreadsDefinition;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

import io.cameleer.agent.model.Execution;
import io.cameleer.agent.settings.CaptureMode;

/** Lines that an application logs while it works for an exchange. */
class ExchangeLogsTest extends CamelRig {

    private void start(Routes routes) throws Exception {
        start(CaptureMode.NONE, routes);
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
        List<Execution> all = all(2);
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
                }).id("there").process(e -> seen.add(MDC.get("cameleer.processorId"))).id("quiet").process(CamelRig::fail).id("fails");
            });
            template.request("direct:a", e -> e.getIn().setBody("x"));
            all(1);
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
