package io.cameleer.agent.camel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

import org.apache.camel.Exchange;
import org.apache.camel.LoggingLevel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.Status;
import io.cameleer.agent.settings.CaptureMode;

/** What is recorded of exchanges that fail. */
class RecordedFailuresTest extends CamelRig {

    private void start(Routes routes) throws Exception {
        start(CaptureMode.BOTH, routes);
    }

    @Test
    void an_unhandled_exception_is_on_its_processor_and_on_the_execution() throws Exception {
        start(b -> b.from("direct:a").routeId("a").choice().id("way").when(b.simple("true")).process(CamelRig::fail).id("bad").end());
        Exchange done = template.send("direct:a", e -> e.getIn().setBody("x"));
        assertTrue(done.getException() instanceof IllegalArgumentException);
        Execution a = executions(1).get("a");
        assertEquals(List.of("1(0) choice way FAILED", "2(1) process bad FAILED"), lines(a));
        assertEquals(Status.FAILED, a.status());
        assertEquals("java.lang.IllegalArgumentException: not like this", a.failure().message());
        assertTrue(record(a, 2).failure.stackTrace().contains("CamelRig.fail"));
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
                b.from("direct:a").routeId("a").process(CamelRig::fail).id("bad").setHeader("never", b.constant(1));
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
            b.from("direct:a").routeId("a").process(CamelRig::fail).id("bad");
            b.from("direct:dead").routeId("dead").setHeader("buried", b.constant(1)).id("bury");
        });
        template.send("direct:a", e -> e.getIn().setBody("x"));
        assertEquals(Status.COMPLETED, executions(2).get("dead").status());
    }

    @Test
    void what_the_route_itself_catches_or_continues_is_completed() throws Exception {
        start(b -> {
            b.onException(IllegalStateException.class).continued(true);
            b.from("direct:caught").routeId("caught").doTry().id("try").process(CamelRig::fail).id("bad")
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
}
