package io.cameleer.agent.model;

import java.util.Map;
import java.util.TreeMap;

/** One run of one processor. Written by the thread that runs it, closed under the lock of its execution. */
public final class ProcessorRecord {

    public final int seq;
    /** Null for the records that hang on the route itself. */
    public final ProcessorRecord parent;
    public final Step step;
    public final String processorId;
    public final String processorType;
    /** The exchange that ran it: a branch's copy has an id of its own. */
    public final String exchangeId;
    public final long startMillis;
    public final long startNanos;

    /** How many attempts of the same processor failed before this one. */
    public int redelivery;
    /** Something ran inside it. */
    public boolean hasInner;
    public Integer loopIndex;
    public Integer splitIndex;
    public Integer multicastIndex;
    public Integer iteration;
    public Integer iterationSize;
    public final String endpointUri;
    public volatile String resolvedEndpointUri;
    public Boolean filterMatched;
    public Payload input;

    public Status status = Status.RUNNING;
    public long durationNanos;
    public Failure failure;
    public Payload output;
    public Map<String, String> attributes = Map.of();

    public ProcessorRecord(int seq, ProcessorRecord parent, Step step, String exchangeId, long startMillis, long startNanos) {
        this.seq = seq;
        this.parent = parent;
        this.step = step;
        this.processorId = step.id;
        this.processorType = step.type;
        this.endpointUri = step.endpointUri;
        this.exchangeId = exchangeId;
        this.startMillis = startMillis;
        this.startNanos = startNanos;
    }

    public void attribute(String name, String value) {
        if (attributes.isEmpty()) {
            attributes = new TreeMap<>();
        }
        attributes.put(name, value);
    }
}
