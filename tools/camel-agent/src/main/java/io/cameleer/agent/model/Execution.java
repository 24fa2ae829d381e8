package io.cameleer.agent.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * One exchange passing through one route. Several threads may add processor records (parallel branches); the lock is the object
 * itself and is held for moments. After {@link #close} nothing changes any more, and the sender may read without the lock.
 */
public final class Execution {

    public final String executionId;
    public final String exchangeId;
    public final String correlationId;
    public final String parentExecutionId;
    public final String routeId;
    public final String fromEndpoint;
    public final long startMillis;
    public final long startNanos;
    /** The execution that this one repeats, or null. Set before it begins, like the next two. */
    public String replayOf;
    public String engineLevel;
    public String diagramHash;
    private final int maxProcessors;
    private final int maxSize;

    private List<ProcessorRecord> processors = new ArrayList<>(8);
    private Status status = Status.RUNNING;
    private long endMillis;
    private long durationNanos;
    private Failure failure;
    private Payload input;
    private Payload output;
    private Map<String, String> attributes = Map.of();
    private Throwable lastThrown;
    private Throwable handled;
    private int size = 512;
    private int nextSeq = 1;
    private int leftOut;
    private boolean payloadLeftOut;
    private volatile boolean attemptFailed;
    private volatile boolean closed;
    private volatile boolean announced;

    public Execution(String executionId, String exchangeId, String correlationId, String parentExecutionId, String routeId,
                     String fromEndpoint, long startMillis, long startNanos, int maxProcessors, int maxSize) {
        this.executionId = executionId;
        this.exchangeId = exchangeId;
        this.correlationId = correlationId;
        this.parentExecutionId = parentExecutionId;
        this.routeId = routeId;
        this.fromEndpoint = fromEndpoint;
        this.startMillis = startMillis;
        this.startNanos = startNanos;
        this.maxProcessors = maxProcessors;
        this.maxSize = maxSize;
    }

    /** A new record, or null when the execution is closed or has as many as it may. Its time is told by the execution's own clock. */
    public synchronized ProcessorRecord open(ProcessorRecord parent, Step step, String exchange, long nanos) {
        if (closed) {
            return null;
        }
        if (parent != null) {
            parent.hasInner = true;
        }
        if (processors.size() >= maxProcessors) {
            leftOut++;
            return null;
        }
        ProcessorRecord record = new ProcessorRecord(nextSeq++, parent, step, exchange, startMillis + (nanos - startNanos) / 1_000_000L, nanos);
        processors.add(record);
        size += 256;
        return record;
    }

    /**
     * Counts the attempts of a record that Camel says was delivered again. Only a failed attempt of the same processor, by the same
     * exchange, makes it one: Camel leaves its mark on the message for all that follows.
     */
    public synchronized void markRedelivery(ProcessorRecord record) {
        int first = Math.max(0, processors.size() - 1 - 200);
        for (int i = processors.size() - 1; i >= first && !closed; i--) {
            ProcessorRecord earlier = processors.get(i);
            if (earlier != record && earlier.parent == record.parent && earlier.processorId.equals(record.processorId)
                    && earlier.exchangeId.equals(record.exchangeId)) {
                if (earlier.status == Status.FAILED) {
                    record.redelivery = earlier.redelivery + 1;
                    record.attribute("redelivery", Integer.toString(record.redelivery));
                    attribute("redelivered", "true");
                }
                return;
            }
        }
    }

    /** Ends a record. What its execution no longer wants to know is ignored. */
    public synchronized void close(ProcessorRecord record, Throwable thrown, int stackLimit, Payload output, long nanos) {
        if (closed) {
            return;
        }
        record.durationNanos = nanos - record.startNanos;
        record.output = admit(output);
        record.status = thrown == null ? Status.COMPLETED : Status.FAILED;
        if (thrown != null) {
            attemptFailed = true;
            // the first record that saw an exception keeps its stack; those around it only name it
            record.failure = Failure.of(thrown, thrown == lastThrown ? 0 : stackLimit);
            size += record.failure.stackTrace() == null ? 0 : record.failure.stackTrace().length();
            lastThrown = thrown;
        }
    }

    public synchronized void input(ProcessorRecord record, Payload payload) {
        if (closed) {
            return;
        }
        record.input = admit(payload);
        if (record.seq == 1 && input != null && input.stream() && payload != null && !payload.stream()) {
            // the engine made the stream readable on its way to the first processor
            input = new Payload(payload.body(), payload.bodySize(), false, input.headers());
        }
    }

    public synchronized void input(Payload payload) {
        input = admit(payload);
    }

    /** An error handler has dealt with this exception; the execution is still a failed one. */
    public synchronized void handled(Throwable thrown) {
        if (handled == null) {
            handled = thrown;
        }
    }

    /** The value of a tap: on the processor where it was taken and on the execution. */
    public synchronized void tapped(ProcessorRecord record, String name, String value) {
        if (!closed) {
            record.attribute(name, value);
            attribute(name, value);
            size += 2 * (name.length() + value.length());
        }
    }

    public synchronized void attribute(String name, String value) {
        if (closed) {
            return;
        }
        if (attributes.isEmpty()) {
            attributes = new TreeMap<>();
        }
        attributes.put(name, value);
    }

    /**
     * Ends the execution; only the first call counts.
     *
     * @param thrown why it failed, or null
     * @return true for the first call
     */
    public synchronized boolean close(Throwable thrown, int stackLimit, Payload output, long millis, long nanos) {
        if (closed) {
            return false;
        }
        Throwable cause = thrown != null ? thrown : handled;
        this.output = admit(output);
        status = cause == null ? Status.COMPLETED : Status.FAILED;
        failure = cause == null ? null : Failure.of(cause, stackLimit);
        if (thrown == null && handled != null) {
            attribute("failureHandled", "true");
        }
        if (leftOut > 0) {
            attribute("processorsLeftOut", Integer.toString(leftOut));
        }
        if (payloadLeftOut) {
            attribute("payloadLeftOut", "true");
        }
        endMillis = Math.max(millis, startMillis);
        durationNanos = nanos - startNanos;
        lastThrown = null;
        handled = null;
        closed = true;
        return true;
    }

    private Payload admit(Payload payload) {
        if (payload == null) {
            return null;
        }
        int more = payload.size();
        if (size + more > maxSize) {
            payloadLeftOut = true;
            return null;
        }
        size += more;
        return payload;
    }

    /** Leaves the payload of one that completed out, except where somebody looks closely. Call between the end and the queue. */
    public synchronized void leavePayloadOut(Predicate<String> keptOfProcessor) {
        size -= sizeOf(input) + sizeOf(output);
        input = null;
        output = null;
        for (ProcessorRecord record : processors) {
            if (!keptOfProcessor.test(record.processorId)) {
                size -= sizeOf(record.input) + sizeOf(record.output);
                record.input = null;
                record.output = null;
            }
        }
    }

    /** Whether a processor has failed so far: without that nothing is delivered again. */
    public boolean attemptFailed() {
        return attemptFailed;
    }

    private static int sizeOf(Payload payload) {
        return payload == null ? 0 : payload.size();
    }

    /** Called once the execution was written out: an exchange that still refers to it then holds only its identity. */
    public synchronized void forget() {
        if (closed) {
            for (ProcessorRecord record : processors) {
                record.input = null;
                record.output = null;
                record.failure = null;
            }
            processors = List.of();
            input = null;
            output = null;
            failure = null;
        }
    }

    public boolean closed() {
        return closed;
    }

    /** True the first time only. */
    public boolean announce() {
        if (announced) {
            return false;
        }
        announced = true;
        return true;
    }

    public List<ProcessorRecord> processors() {
        return processors;
    }

    public Status status() {
        return status;
    }

    public long endMillis() {
        return endMillis;
    }

    public long durationNanos() {
        return durationNanos;
    }

    public Failure failure() {
        return failure;
    }

    public Payload input() {
        return input;
    }

    public Payload output() {
        return output;
    }

    public Map<String, String> attributes() {
        return attributes;
    }

    /** About how many bytes it keeps. */
    public int size() {
        return size;
    }
}
