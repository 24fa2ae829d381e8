package io.cameleer.agent.camel.logs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.util.LogbackMDCAdapter;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import io.cameleer.agent.logs.LogRig;

class LogbackSourceTest {

    private final LogRig rig = new LogRig(1_000);
    private final LoggerContext context = new LoggerContext();
    private final LogbackMDCAdapter mdc = new LogbackMDCAdapter();
    private final Logger logger = context.getLogger("shop.logback");
    private LogbackSource source;

    @BeforeEach
    void attach() {
        context.setMDCAdapter(mdc);
        context.getLogger("apart").setAdditive(false);
        source = new LogbackSource(context, rig.logs().intake());
        rig.logs().found(source);
    }

    @AfterEach
    void end() {
        rig.logs().close();
        assertEquals(List.of(), List.copyOf(source.attachedTo()));
        assertEquals(0, rig.counters().get("agent_error"));
    }

    private List<Object> messages() throws Exception {
        return rig.lines().stream().map(l -> l.get("message")).toList();
    }

    @Test
    void a_line_is_taken_with_its_parameters_its_exception_and_the_context() throws Exception {
        mdc.put("cameleer.exchangeId", "ex-1");
        mdc.put("cameleer.routeId", "route-1");
        logger.warn("order {} is late", 17);
        mdc.clear();
        logger.error("broken", new IllegalStateException("why"));
        List<Map<String, Object>> lines = rig.lines();
        assertEquals("order 17 is late", lines.get(0).get("message"));
        assertEquals("WARN", lines.get(0).get("level"));
        assertEquals("shop.logback", lines.get(0).get("logger"));
        assertEquals("ex-1", lines.get(0).get("exchangeId"));
        assertEquals("route-1", lines.get(0).get("routeId"));
        assertEquals("ERROR", lines.get(1).get("level"));
        assertNull(lines.get(1).get("exchangeId"));
        assertTrue(((String) lines.get(1).get("stackTrace")).contains("IllegalStateException: why"));
    }

    @Test
    void loggers_that_pass_nothing_on_are_heard_too_and_none_twice() throws Exception {
        context.getLogger("apart.below").info("apart");
        context.getLogger("other").info("ordinary");
        assertEquals(List.of("apart", "ordinary"), messages());
        assertEquals(Set.of("ROOT", "apart"), Set.copyOf(source.attachedTo()));
    }

    @Test
    void setting_the_logging_up_anew_does_not_lose_it() throws Exception {
        context.reset();
        logger.info("at once after the reset");
        context.getLogger(Logger.ROOT_LOGGER_NAME).detachAndStopAllAppenders();
        logger.info("not heard");
        rig.logs().ensure();
        logger.info("heard again");
        assertEquals(List.of("at once after the reset", "heard again"), messages());
    }

    @Test
    void levels_are_set_survive_a_reset_and_are_given_back() throws Exception {
        logger.setLevel(Level.ERROR);
        rig.logs().apply(Map.of("shop.logback", "trace", "ROOT", "WARN", "other", "loud"));
        logger.trace("traced");
        context.getLogger("other").info("below the root's");
        assertEquals(1, rig.counters().get("log_level_unknown"));
        context.reset();
        rig.logs().ensure();
        assertEquals(Level.TRACE, logger.getLevel());
        rig.logs().apply(Map.of("ROOT", "WARN"));
        assertEquals(Level.ERROR, logger.getLevel());
        rig.logs().apply(Map.of());
        assertEquals(Level.DEBUG, context.getLogger(Logger.ROOT_LOGGER_NAME).getLevel());
        assertEquals(List.of("traced"), messages());
    }

    @Test
    void what_the_application_has_changed_since_stays_as_it_is() {
        rig.logs().apply(Map.of("shop.logback", "DEBUG"));
        logger.setLevel(Level.WARN);
        rig.logs().apply(Map.of());
        assertEquals(Level.WARN, logger.getLevel());
    }
}
