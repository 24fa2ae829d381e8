package io.cameleer.agent.send;

/**
 * The sender's clockwork, in milliseconds.
 *
 * @param flush how long an execution waits for company
 * @param retryLeast the first wait after a failure
 * @param retryMost the longest wait
 * @param request how long one request may take
 * @param farewell how long the end of the JVM may be held up
 * @param firstContact how long the registration waits for the first Camel context to know its routes
 * @param streamIdle silence of the command stream after which it is opened again; the server says something every 15 s
 */
public record Timing(long flush, long retryLeast, long retryMost, long request, long farewell, long firstContact, long streamIdle) {

    public Timing(long flush, long retryLeast, long retryMost, long request, long farewell, long firstContact) {
        this(flush, retryLeast, retryMost, request, farewell, firstContact, 45_000);
    }

    public static Timing defaults() {
        return new Timing(500, 1_000, 30_000, 10_000, 2_000, 15_000);
    }
}
