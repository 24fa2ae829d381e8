package io.cameleer.agent.camel.logs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.spi.FilterReply;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Marker;

import io.cameleer.agent.logs.LogIds;
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
        source = new LogbackSource(context, rig.logs().intake(), rig.logs().ids());
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

    /** The application's own output: written by another thread, in a layout that names the ids. */
    private AsyncAppender output(ByteArrayOutputStream bytes) {
        PatternLayoutEncoder layout = new PatternLayoutEncoder();
        layout.setContext(context);
        layout.setPattern("%msg %X{cameleer.exchangeId} %X{cameleer.routeId} %X{cameleer.processorId}%n");
        layout.start();
        OutputStreamAppender<ILoggingEvent> written = new OutputStreamAppender<>();
        written.setContext(context);
        written.setEncoder(layout);
        written.setOutputStream(bytes);
        written.start();
        AsyncAppender appender = new AsyncAppender();
        appender.setContext(context);
        appender.addAppender(written);
        appender.start();
        context.getLogger(Logger.ROOT_LOGGER_NAME).addAppender(appender);
        return appender;
    }

    private void late() {
        rig.logs().ids().addLate(new LogIds.Mdc() {
            @Override
            public void put(String key, String value) {
                mdc.put(key, value);
            }

            @Override
            public void remove(String key) {
                mdc.remove(key);
            }
        });
    }

    @Test
    void the_applications_own_lines_have_the_ids_and_the_context_has_them_no_longer_than_the_place() throws Exception {
        late();
        for (int round = 0; round < 2; round++) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            AsyncAppender output = output(bytes);
            logger.setLevel(Level.INFO);
            LogIds.Place place = new LogIds.Place("ex-1", "route-1", "proc-1");
            LogIds.Place before = rig.logs().ids().here();
            rig.logs().ids().move(rig.logs().ids().thread(), place);
            logger.debug("below the level");
            assertNull(mdc.get("cameleer.exchangeId"));
            logger.info("inside");
            assertEquals("proc-1", mdc.get("cameleer.processorId"));
            rig.logs().ids().move(rig.logs().ids().thread(), before);
            assertNull(mdc.get("cameleer.exchangeId"));
            logger.info("outside");
            output.stop();
            assertEquals(List.of("inside ex-1 route-1 proc-1", "outside   "), bytes.toString(StandardCharsets.UTF_8).lines().toList());
            // the second time after the logging was set up anew
            context.reset();
        }
        assertEquals(List.of("ex-1", "null", "ex-1", "null"), rig.lines().stream().map(l -> String.valueOf(l.get("exchangeId"))).toList());
    }

    @Test
    void what_another_filter_lets_through_has_the_ids_too() throws Exception {
        late();
        rig.logs().ensure();
        context.addTurboFilter(new TurboFilter() {
            @Override
            public FilterReply decide(Marker marker, Logger of, Level level, String format, Object[] parameters, Throwable thrown) {
                return FilterReply.ACCEPT;
            }
        });
        logger.setLevel(Level.INFO);
        LogIds.Place place = new LogIds.Place("ex-1", "route-1", "proc-1");
        LogIds.Place before = rig.logs().ids().here();
        rig.logs().ids().move(rig.logs().ids().thread(), place);
        logger.debug("let through");
        rig.logs().ids().move(rig.logs().ids().thread(), before);
        Map<?, ?> line = (Map<?, ?>) rig.lines().get(0).get("mdc");
        assertEquals(Map.of("cameleer.exchangeId", "ex-1", "cameleer.routeId", "route-1", "cameleer.processorId", "proc-1"), line);
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
