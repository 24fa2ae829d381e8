package io.cameleer.agent.send;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

import io.cameleer.agent.model.Execution;

/**
 * Closed executions on their way to the server, bounded by number and by bytes. When it is full the oldest gives way to the newest:
 * after a long outage the operator wants to see what happens now. A thread that adds never waits for one that sends.
 */
public final class ExecutionQueue {

    private final int maxExecutions;
    private final long maxBytes;
    private final Counters counters;
    private final ArrayDeque<Execution> waiting = new ArrayDeque<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition ready = lock.newCondition();
    private long bytes;

    public ExecutionQueue(int maxExecutions, long maxBytes, Counters counters) {
        this.maxExecutions = maxExecutions;
        this.maxBytes = maxBytes;
        this.counters = counters;
    }

    public void add(Execution execution) {
        int dropped = 0;
        lock.lock();
        try {
            while (!waiting.isEmpty() && (waiting.size() >= maxExecutions || bytes + execution.size() > maxBytes)) {
                bytes -= waiting.removeFirst().size();
                dropped++;
            }
            if (execution.size() > maxBytes) {
                dropped++;
            } else {
                waiting.addLast(execution);
                bytes += execution.size();
                ready.signal();
            }
        } finally {
            lock.unlock();
        }
        if (dropped > 0) {
            counters.add("buffer_full", dropped);
        }
    }

    /** Up to that many of the oldest, not more than about that many bytes but at least one if there is one; may be empty after the wait. */
    public List<Execution> take(int most, int mostBytes, long waitMillis) throws InterruptedException {
        List<Execution> taken = new ArrayList<>();
        lock.lockInterruptibly();
        try {
            long nanos = TimeUnit.MILLISECONDS.toNanos(waitMillis);
            while (waiting.isEmpty() && nanos > 0) {
                nanos = ready.awaitNanos(nanos);
            }
            long size = 0;
            while (!waiting.isEmpty() && taken.size() < most
                    && (taken.isEmpty() || size + waiting.peekFirst().size() <= mostBytes)) {
                Execution next = waiting.removeFirst();
                bytes -= next.size();
                size += next.size();
                taken.add(next);
            }
        } finally {
            lock.unlock();
        }
        return taken;
    }

    public int size() {
        lock.lock();
        try {
            return waiting.size();
        } finally {
            lock.unlock();
        }
    }

    public long bytes() {
        lock.lock();
        try {
            return bytes;
        } finally {
            lock.unlock();
        }
    }
}
