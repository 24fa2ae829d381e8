package io.cameleer.agent.camel.logs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;

import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.Logger;
import org.apache.logging.log4j.ThreadContext;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.config.Configuration;
import org.apache.logging.log4j.core.config.builder.api.ConfigurationBuilder;
import org.apache.logging.log4j.core.config.builder.api.ConfigurationBuilderFactory;
import org.apache.logging.log4j.core.config.builder.impl.BuiltConfiguration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import io.cameleer.agent.logs.LogRig;

class Log4jSourceTest {

    private final LogRig rig = new LogRig(1_000);
    private final LoggerContext context = new LoggerContext("test");
    private Logger logger;

    @BeforeEach
    void attach() {
        context.start(configuration());
        logger = context.getLogger("shop.log4j");
        rig.logs().found(new Log4jSource(context, rig.logs().intake()));
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
