package io.cameleer.agent.camel.logs;

import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

import ch.qos.logback.classic.LoggerContext;

import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.ThreadContext;
import org.slf4j.ILoggerFactory;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

import io.cameleer.agent.logs.JulSource;
import io.cameleer.agent.logs.LogIds;
import io.cameleer.agent.logs.LogSource;
import io.cameleer.agent.logs.Logs;

/**
 * Finds the logging frameworks that the application brought, seen from where its Camel was loaded. Each is asked for by a class of its
 * own, so that a missing one is missed by nobody.
 */
public final class LogFrameworks {

    private LogFrameworks() {
    }

    /** Called when a Camel context is built: by then the application's logging is up, for Camel itself logs through it. */
    public static void find(Logs logs, ClassLoader application) {
        ILoggerFactory factory = LoggerFactory.getILoggerFactory();
        String name = factory.getClass().getName();
        boolean logback = name.startsWith("ch.qos.logback.") && attempt(() -> Logback.find(logs, factory));
        boolean log4jPresent = present("org.apache.logging.log4j.core.LoggerContext", application);
        boolean log4j = log4jPresent && attempt(() -> Log4j.find(logs, application));
        boolean context = MDC.getMDCAdapter() != null && !MDC.getMDCAdapter().getClass().getSimpleName().startsWith("NOP");
        logs.found(new JulSource(logs.intake(), context ? () -> contextOf(logs) : () -> null));
        // SLF4J's leads to Log4j's when SLF4J logs through it; straight there it costs less
        boolean same = name.startsWith("org.apache.logging.slf4j.");
        if (context && !same) {
            add(logs, new Slf4jMdc(), logback);
        }
        if (same || log4jPresent) {
            attempt(() -> {
                add(logs, new Log4jMdc(), log4j);
                return true;
            });
        }
    }

    /** @param asked the framework is one that the agent hears of before a line is made */
    private static void add(Logs logs, LogIds.Mdc mdc, boolean asked) {
        if (asked) {
            logs.ids().addLate(mdc);
        } else {
            logs.ids().add(mdc);
        }
    }

    /** The JDK's logging asks nobody before a line is made, but the line is only read here. */
    private static Map<String, String> contextOf(Logs logs) {
        logs.ids().write();
        return MDC.getCopyOfContextMap();
    }

    private static boolean attempt(BooleanSupplier finder) {
        try {
            return finder.getAsBoolean();
        } catch (RuntimeException | LinkageError e) {
            // not in use in this application, or not as it is known here
            return false;
        }
    }

    private static boolean present(String name, ClassLoader application) {
        return application.getResource(name.replace('.', '/') + ".class") != null;
    }

    private static final class Logback {
        static boolean find(Logs logs, ILoggerFactory factory) {
            return factory instanceof LoggerContext context && logs.found(new LogbackSource(context, logs.intake(), logs.ids()));
        }
    }

    private static final class Log4j {
        static boolean find(Logs logs, ClassLoader application) {
            if (LogManager.getContext(application, false) instanceof org.apache.logging.log4j.core.LoggerContext context) {
                LogSource source = new Log4jSource(context, logs.intake(), logs.ids());
                return logs.found(source);
            }
            return false;
        }
    }

    private static final class Slf4jMdc implements LogIds.Mdc {
        @Override
        public void put(String key, String value) {
            MDC.put(key, value);
        }

        @Override
        public void remove(String key) {
            MDC.remove(key);
        }
    }

    private static final class Log4jMdc implements LogIds.Mdc {
        @Override
        public void put(String key, String value) {
            ThreadContext.put(key, value);
        }

        @Override
        public void remove(String key) {
            ThreadContext.remove(key);
        }

        @Override
        public void putAll(Map<String, String> values) {
            ThreadContext.putAll(values);
        }

        @Override
        public void removeAll(List<String> keys) {
            ThreadContext.removeAll(keys);
        }
    }
}
