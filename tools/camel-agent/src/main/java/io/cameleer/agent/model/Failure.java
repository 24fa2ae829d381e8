package io.cameleer.agent.model;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.Set;

/**
 * An exception as it is reported.
 *
 * @param message the exception's class and message
 * @param stackTrace cut to size; null where a record further in has it already
 */
public record Failure(String message, String stackTrace) {

    private static final int MESSAGE_LIMIT = 4_096;
    private static final Set<String> WRAPPERS = Set.of("org.apache.camel.CamelExchangeException",
        "org.apache.camel.CamelExecutionException", "org.apache.camel.RuntimeCamelException");

    public static Failure of(Throwable thrown, int stackLimit) {
        return new Failure(messageOf(thrown), stackLimit == 0 ? null : stackOf(thrown, stackLimit));
    }

    /** Camel wraps what a branch threw; the reader wants to know what it was. The stack trace keeps the wrapping. */
    private static Throwable unwrapped(Throwable thrown) {
        Throwable inner = thrown;
        for (int i = 0; i < 8 && inner.getCause() != null && WRAPPERS.contains(inner.getClass().getName()); i++) {
            inner = inner.getCause();
        }
        return inner;
    }

    public static String messageOf(Throwable failure) {
        Throwable thrown = unwrapped(failure);
        String text = thrown.getClass().getName();
        try {
            String message = thrown.getMessage();
            text = message == null ? text : text + ": " + message;
        } catch (RuntimeException e) {
            // an exception that cannot even say its message
        }
        return text.length() <= MESSAGE_LIMIT ? text : text.substring(0, MESSAGE_LIMIT) + "…";
    }

    private static String stackOf(Throwable thrown, int limit) {
        StringBuilder text = new StringBuilder(Math.min(limit, 4_096));
        try {
            thrown.printStackTrace(new PrintWriter(new Bounded(text, limit)));
        } catch (Full full) {
            text.append("…");
        } catch (RuntimeException e) {
            text.append("…");
        }
        return text.toString();
    }

    private static final class Full extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Full() {
            super(null, null, false, false);
        }
    }

    private static final class Bounded extends Writer {
        private final StringBuilder text;
        private final int limit;

        Bounded(StringBuilder text, int limit) {
            this.text = text;
            this.limit = limit;
        }

        @Override
        public void write(char[] buffer, int offset, int length) {
            int room = limit - text.length();
            text.append(buffer, offset, Math.max(0, Math.min(room, length)));
            if (length > room) {
                throw new Full();
            }
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
