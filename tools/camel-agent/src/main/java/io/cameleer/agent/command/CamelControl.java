package io.cameleer.agent.command;

import java.util.Map;

/**
 * One Camel context as the executor of commands. Called from the agent's own threads. A {@link Refused} says why something cannot be done;
 * any other exception is the application's own and its message is reported.
 */
public interface CamelControl {

    /** A command that is understood and cannot be done; the message is a sentence for the operator. */
    final class Refused extends Exception {
        private static final long serialVersionUID = 1L;

        public Refused(String reason) {
            super(reason, null, false, false);
        }
    }

    /** @param type the class of Camel's result, {@code null} as text when there was none */
    record Evaluated(String value, String type) {
    }

    /** A replay that is ready to run. */
    interface Replaying {
        /** Runs the exchange through the route and returns when that has ended. */
        void run();

        /** What is known of it now, from any thread: {@code executionId, exchangeId, status, durationMs, output, errorMessage}. */
        Map<String, Object> data();
    }

    boolean started();

    boolean hasRoute(String routeId);

    /** @param action start, stop, suspend or resume @return the state after it: Started, Stopped or Suspended */
    String control(String routeId, String action) throws Exception;

    Evaluated evaluate(String language, String expression, String body, Map<String, String> headers) throws Exception;

    Replaying replay(String routeId, String body, Map<String, String> headers, String originalExecutionId) throws Exception;
}
