package io.cameleer.agent.logs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class JulSourceTest {

    /** What stands for a bridge to another framework: its name ends like theirs. */
    private static final class TestBridgeHandler extends Handler {
        @Override
        public void publish(LogRecord line) {
            // a bridge would pass it on
        }

        @Override
        public void flush() {
            // nothing is held back
        }

        @Override
        public void close() {
            // nothing is held
        }
    }

    private final LogRig rig = new LogRig(1_000);
    private final Logger logger = Logger.getLogger("shop.jul");
    private final Logger root = Logger.getLogger("");
    private final Handler[] shown = root.getHandlers();

    @BeforeEach
    void quiet() {
        for (Handler handler : shown) {
            root.removeHandler(handler);
        }
        rig.logs().found(new JulSource(rig.logs().intake(), () -> Map.of("tenant", "t1", "camel.exchangeId", "ex-1", "Authorization", "secret")));
    }

    @AfterEach
    void again() {
        rig.logs().close();
        assertEquals(0, root.getHandlers().length);
        for (Handler handler : shown) {
            root.addHandler(handler);
        }
    }

    @Test
    void a_line_is_taken_with_its_parameters_its_exception_and_the_context() throws Exception {
        logger.log(Level.WARNING, "order {0} is late", 17);
        logger.log(Level.SEVERE, "broken", new IllegalStateException("why"));
        List<Map<String, Object>> lines = rig.lines();
        assertEquals("order 17 is late", lines.get(0).get("message"));
        assertEquals("WARN", lines.get(0).get("level"));
        assertEquals("shop.jul", lines.get(0).get("logger"));
        assertEquals(Thread.currentThread().getName(), lines.get(0).get("thread"));
        assertEquals("ex-1", lines.get(0).get("exchangeId"));
        assertEquals(Map.of("tenant", "t1", "camel.exchangeId", "ex-1", "Authorization", "***"), lines.get(0).get("mdc"));
        assertEquals("ERROR", lines.get(1).get("level"));
        assertTrue(((String) lines.get(1).get("stackTrace")).contains("IllegalStateException: why"));
    }

    @Test
    void levels_are_set_and_given_back() throws Exception {
        logger.fine("not yet");
        rig.logs().apply(Map.of("shop.jul", "DEBUG"));
        logger.fine("now");
        rig.logs().apply(Map.of("shop.jul", "OFF"));
        logger.severe("silent");
        rig.logs().apply(Map.of());
        assertNull(logger.getLevel());
        logger.fine("no longer");
        assertEquals(List.of("now"), rig.lines().stream().map(l -> l.get("message")).toList());
    }

    @Test
    void a_handler_that_was_thrown_away_comes_back_and_a_bridge_is_left_alone() throws Exception {
        root.removeHandler(root.getHandlers()[0]);
        rig.logs().ensure();
        logger.info("again");
        Handler bridge = new TestBridgeHandler();
        root.addHandler(bridge);
        rig.logs().ensure();
        logger.info("heard elsewhere");
        root.removeHandler(bridge);
        assertEquals(List.of("again"), rig.lines().stream().map(l -> l.get("message")).toList());
    }
}
