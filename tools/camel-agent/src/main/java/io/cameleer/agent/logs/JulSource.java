package io.cameleer.agent.logs;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** The JDK's own logging: a handler at its root, unless the root is bridged to a framework that is heard anyway. */
public final class JulSource implements LogSource {

    private static final Map<String, Level> LEVELS = Map.of("TRACE", Level.FINEST, "DEBUG", Level.FINE, "INFO", Level.INFO,
        "WARN", Level.WARNING, "ERROR", Level.SEVERE, "OFF", Level.OFF);

    private final LogIntake intake;
    private final Supplier<Map<String, String>> mdc;
    private final Handler handler = new Tap();
    /** The JDK forgets loggers, and their levels, that nobody holds. */
    private final Map<String, Logger> held = new HashMap<>();

    /** @param mdc of the calling thread, where there is one; may give null */
    public JulSource(LogIntake intake, Supplier<Map<String, String>> mdc) {
        this.intake = intake;
        this.mdc = mdc;
    }

    @Override
    public boolean attach() {
        boolean there = false;
        boolean bridged = false;
        for (Handler present : root().getHandlers()) {
            there |= present == handler;
            bridged |= present.getClass().getName().endsWith("BridgeHandler");
        }
        if (bridged && there) {
            root().removeHandler(handler);
        } else if (!bridged && !there) {
            root().addHandler(handler);
        }
        return true;
    }

    @Override
    public void detach() {
        root().removeHandler(handler);
    }

    @Override
    public String level(String logger) {
        Level level = named(logger).getLevel();
        return level == null ? null : name(level);
    }

    @Override
    public void level(String logger, String level) {
        Logger target = named(logger);
        target.setLevel(level == null ? null : LEVELS.get(level));
        if (level == null) {
            held.remove(logger);
        } else {
            held.put(logger, target);
        }
    }

    private static Logger root() {
        return Logger.getLogger("");
    }

    private static Logger named(String logger) {
        return "root".equalsIgnoreCase(logger) ? root() : Logger.getLogger(logger);
    }

    private static String name(Level level) {
        int value = level.intValue();
        if (value == Level.OFF.intValue()) {
            return "OFF";
        } else if (value >= Level.SEVERE.intValue()) {
            return "ERROR";
        } else if (value >= Level.WARNING.intValue()) {
            return "WARN";
        } else if (value >= Level.INFO.intValue()) {
            return "INFO";
        }
        return value >= Level.FINE.intValue() ? "DEBUG" : "TRACE";
    }

    private final class Tap extends Handler {

        private final Formatter formatter = new SimpleFormatter();

        Tap() {
            setLevel(Level.ALL);
        }

        @Override
        public void publish(LogRecord line) {
            intake.take(new LogIntake.Head(line.getMillis(), name(line.getLevel()), line.getLoggerName(), Thread.currentThread().getName()),
                () -> formatter.formatMessage(line), line.getThrown(), mdc.get());
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
}
