package io.cameleer.agent.camel.logs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.StringWriter;
import java.util.List;
import java.util.Map;

import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.Logger;
import org.apache.logging.log4j.ThreadContext;
import org.apache.logging.log4j.core.Filter;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.WriterAppender;
import org.apache.logging.log4j.core.async.AsyncLoggerContext;
import org.apache.logging.log4j.core.config.Configuration;
import org.apache.logging.log4j.core.config.builder.api.ConfigurationBuilder;
import org.apache.logging.log4j.core.config.builder.api.ConfigurationBuilderFactory;
import org.apache.logging.log4j.core.config.builder.impl.BuiltConfiguration;
import org.apache.logging.log4j.core.filter.ThresholdFilter;
import org.apache.logging.log4j.core.layout.PatternLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import io.cameleer.agent.logs.LogIds;
import io.cameleer.agent.logs.LogRig;

class Log4jSourceTest {

    private final LogRig rig = new LogRig(1_000);
    private final LoggerContext context = new LoggerContext("test");
    private Logger logger;

    @BeforeEach
    void attach() {
        context.start(configuration());
        logger = context.getLogger("shop.log4j");
        rig.logs().found(new Log4jSource(context, rig.logs().intake(), rig.logs().ids()));
    }

    @AfterEach
    void end() {
        rig.logs().close();
        assertFalse(context.getConfiguration().getRootLogger().getAppenders().containsKey("cameleer"));
        context.stop();
        ThreadContext.clearAll();
        assertEquals(0, rig.counters().get("agent_error"));
    }

    /** The root at INFO, and a logger that passes nothing on. */
    private static Configuration configuration() {
        ConfigurationBuilder<BuiltConfiguration> builder = ConfigurationBuilderFactory.newConfigurationBuilder();
        builder.setStatusLevel(Level.OFF);
        builder.add(builder.newRootLogger(Level.INFO));
        builder.add(builder.newLogger("apart", Level.INFO).addAttribute("additivity", false));
        return builder.build(false);
    }

    private List<Object> messages() throws Exception {
        return rig.lines().stream().map(l -> l.get("message")).toList();
    }

    @Test
    void a_line_is_taken_with_its_parameters_its_exception_and_the_context() throws Exception {
        ThreadContext.put("cameleer.exchangeId", "ex-1");
        logger.warn("order {} is late", 17);
        ThreadContext.clearAll();
        logger.fatal("broken", new IllegalStateException("why"));
        List<Map<String, Object>> lines = rig.lines();
        assertEquals("order 17 is late", lines.get(0).get("message"));
        assertEquals("WARN", lines.get(0).get("level"));
        assertEquals("shop.log4j", lines.get(0).get("logger"));
        assertEquals("ex-1", lines.get(0).get("exchangeId"));
        assertEquals("ERROR", lines.get(1).get("level"));
        assertNull(lines.get(1).get("exchangeId"));
        assertTrue(((String) lines.get(1).get("stackTrace")).contains("IllegalStateException: why"));
    }

    /** The application's own output: in a layout that names the ids; a filter of its own lets debug lines through. */
    private static Configuration withOutput(StringWriter written) {
        ConfigurationBuilder<BuiltConfiguration> builder = ConfigurationBuilderFactory.newConfigurationBuilder();
        builder.setStatusLevel(Level.OFF);
        builder.add(builder.newFilter("ThresholdFilter", Filter.Result.ACCEPT, Filter.Result.NEUTRAL).addAttribute("level", "DEBUG"));
        builder.add(builder.newRootLogger(Level.INFO));
        Configuration configuration = builder.build(false);
        configuration.initialize();
        PatternLayout layout = PatternLayout.newBuilder()
            .withPattern("%m %X{cameleer.exchangeId} %X{cameleer.routeId} %X{cameleer.processorId}%n").build();
        WriterAppender appender = WriterAppender.newBuilder().setName("written").setLayout(layout).setTarget(written).build();
        configuration.addAppender(appender);
        configuration.getRootLogger().addAppender(appender, null, null);
        return configuration;
    }

    @Test
    void the_applications_own_lines_have_the_ids_and_the_context_has_them_no_longer_than_the_place() throws Exception {
        rig.logs().ids().addLate(new LogIds.Mdc() {
            @Override
            public void put(String key, String value) {
                ThreadContext.put(key, value);
            }

            @Override
            public void remove(String key) {
                ThreadContext.remove(key);
            }
        });
        for (int round = 0; round < 2; round++) {
            StringWriter written = new StringWriter();
            context.reconfigure(withOutput(written));
            LogIds.Place place = new LogIds.Place("ex-1", "route-1", "proc-1");
            LogIds.Place before = rig.logs().ids().here();
            rig.logs().ids().move(rig.logs().ids().thread(), place);
            logger.trace("below the level");
            rig.logs().ids().move(rig.logs().ids().thread(), before);
            before = rig.logs().ids().here();
            rig.logs().ids().move(rig.logs().ids().thread(), place);
            assertNull(ThreadContext.get("cameleer.exchangeId"));
            logger.debug("let {}", "through");
            assertEquals("proc-1", ThreadContext.get("cameleer.processorId"));
            rig.logs().ids().move(rig.logs().ids().thread(), before);
            assertNull(ThreadContext.get("cameleer.exchangeId"));
            logger.info("outside");
            assertEquals(List.of("let through ex-1 route-1 proc-1", "outside   "), written.toString().lines().toList());
        }
        assertEquals(List.of("ex-1", "null", "ex-1", "null"), rig.lines().stream().map(l -> String.valueOf(l.get("exchangeId"))).toList());
    }

    @Test
    void loggers_that_write_on_a_thread_of_their_own_have_the_ids_of_the_thread_that_logged() throws Exception {
        LoggerContext asynchronous = new AsyncLoggerContext("asynchronous");
        asynchronous.start(configuration());
        rig.logs().ids().addLate(new LogIds.Mdc() {
            @Override
            public void put(String key, String value) {
                ThreadContext.put(key, value);
            }

            @Override
            public void remove(String key) {
                ThreadContext.remove(key);
            }
        });
        try {
            rig.logs().found(new Log4jSource(asynchronous, rig.logs().intake(), rig.logs().ids()));
            for (int i = 0; i < 100; i++) {
                rig.logs().ids().move(rig.logs().ids().thread(), new LogIds.Place("ex-" + i, "route-1", "proc-1"));
                asynchronous.getLogger("shop.log4j").info("line {}", i);
                rig.logs().ids().move(rig.logs().ids().thread(), null);
            }
        } finally {
            // writes what is still on its way
            asynchronous.stop();
        }
        List<Map<String, Object>> lines = rig.lines();
        assertEquals(100, lines.size());
        for (int i = 0; i < 100; i++) {
            assertEquals("line " + i, lines.get(i).get("message"));
            assertEquals("ex-" + i, lines.get(i).get("exchangeId"));
            assertEquals(Thread.currentThread().getName(), lines.get(i).get("thread"));
        }
    }

    @Test
    void a_filter_of_the_application_stays_when_the_agent_goes() {
        context.reconfigure(withOutput(new StringWriter()));
        rig.logs().ensure();
        rig.logs().close();
        assertTrue(context.getConfiguration().getFilter() instanceof ThresholdFilter);
        context.reconfigure(configuration());
        assertNull(context.getConfiguration().getFilter());
    }

    @Test
    void loggers_that_pass_nothing_on_are_heard_too_and_none_twice() throws Exception {
        context.getLogger("apart.below").info("apart");
        context.getLogger("other").info("ordinary");
        assertEquals(List.of("apart", "ordinary"), messages());
    }

    @Test
    void another_configuration_does_not_lose_it() throws Exception {
        context.reconfigure(configuration());
        logger.info("heard at once");
        context.getConfiguration().getRootLogger().removeAppender("cameleer");
        context.updateLoggers();
        logger.info("heard again");
        assertEquals(List.of("heard at once", "heard again"), messages());
    }

    @Test
    void levels_are_set_survive_another_configuration_and_are_given_back() throws Exception {
        logger.debug("not yet");
        rig.logs().apply(Map.of("shop.log4j", "DEBUG", "apart", "OFF"));
        logger.debug("now");
        context.getLogger("apart").error("silent");
        context.reconfigure(configuration());
        rig.logs().ensure();
        logger.debug("still");
        rig.logs().apply(Map.of());
        logger.debug("no longer");
        logger.info("as ever");
        context.getLogger("apart").info("again");
        assertEquals(List.of("now", "still", "as ever", "again"), messages());
    }
}
