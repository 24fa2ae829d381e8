package io.cameleer.agent.camel.logs;

import java.util.List;
import java.util.Map;

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
        if (name.startsWith("ch.qos.logback.")) {
            attempt(() -> Logback.find(logs, factory));
        }
        if (present("org.apache.logging.log4j.core.LoggerContext", application)) {
            attempt(() -> Log4j.find(logs, application));
        }
        boolean context = MDC.getMDCAdapter() != null && !MDC.getMDCAdapter().getClass().getSimpleName().startsWith("NOP");
        logs.found(new JulSource(logs.intake(), context ? MDC::getCopyOfContextMap : () -> null));
        // SLF4J's leads to Log4j's when SLF4J logs through it; straight there it costs less
        boolean same = name.startsWith("org.apache.logging.slf4j.");
        if (context && !same) {
            logs.ids().add(new Slf4jMdc());
        }
        if (same || present("org.apache.logging.log4j.core.LoggerContext", application)) {
            attempt(() -> logs.ids().add(new Log4jMdc()));
        }
    }

    private static void attempt(Runnable finder) {
        try {
            finder.run();
        } catch (RuntimeException | LinkageError e) {
            // not in use in this application, or not as it is known here
        }
    }

    private static boolean present(String name, ClassLoader application) {
        return application.getResource(name.replace('.', '/') + ".class") != null;
    }

    private static final class Logback {
        static void find(Logs logs, ILoggerFactory factory) {
            if (factory instanceof LoggerContext context) {
                logs.found(new LogbackSource(context, logs.intake()));
            }
        }
    }

    private static final class Log4j {
        static void find(Logs logs, ClassLoader application) {
            if (LogManager.getContext(application, false) instanceof org.apache.logging.log4j.core.LoggerContext context) {
                LogSource source = new Log4jSource(context, logs.intake());
                logs.found(source);
            }
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
