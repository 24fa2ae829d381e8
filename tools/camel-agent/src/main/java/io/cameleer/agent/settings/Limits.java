package io.cameleer.agent.settings;

/**
 * The bounds of what the agent keeps in the application's memory. Sizes are characters of text, which the queue counts as bytes.
 *
 * @param body a recorded body
 * @param header a recorded header value
 * @param headers the number of headers of one message
 * @param stackTrace a recorded stack trace
 * @param execution the payload of one execution; what comes after it is left out
 * @param processors the processor records of one execution
 * @param queueExecutions finished executions waiting to be sent
 * @param queueBytes their payload
 * @param inFlight executions being recorded at the same time
 * @param runningAfterMs age at which an unfinished execution is reported as RUNNING; 0 never
 */
public record Limits(int body, int header, int headers, int stackTrace, int execution, int processors,
                     int queueExecutions, long queueBytes, int inFlight, long runningAfterMs) {

    public static Limits defaults() {
        return new Limits(65_536, 4_096, 100, 16_384, 1_048_576, 2_000, 10_000, 32L << 20, 10_000, 5_000);
    }
}
