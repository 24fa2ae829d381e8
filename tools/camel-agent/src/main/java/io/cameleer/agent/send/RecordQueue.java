package io.cameleer.agent.send;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Records of one kind on their way to the server, bounded by number and by bytes. When it is full the oldest gives way to the newest,
 * which is counted as {@code <kind>_buffer_full}. A thread that adds never waits for one that sends.
 */
public final class RecordQueue {

    private final String kind;
    private final int maxRecords;
    private final long maxBytes;
    private final Counters counters;
    private final ArrayDeque<OutgoingRecord> waiting = new ArrayDeque<>();
    private final ReentrantLock lock = new ReentrantLock();
    private long bytes;

    /** @param kind the last part of the path it is sent to, such as {@code logs} */
    public RecordQueue(String kind, int maxRecords, long maxBytes, Counters counters) {
        this.kind = kind;
        this.maxRecords = maxRecords;
        this.maxBytes = maxBytes;
        this.counters = counters;
    }

    public String kind() {
        return kind;
    }

    public void add(OutgoingRecord added) {
        int size = added.size();
        int dropped = 0;
        lock.lock();
        try {
            while (!waiting.isEmpty() && (waiting.size() >= maxRecords || bytes + size > maxBytes)) {
                bytes -= waiting.removeFirst().size();
                dropped++;
            }
            if (size > maxBytes) {
                dropped++;
            } else {
                waiting.addLast(added);
                bytes += size;
            }
        } finally {
            lock.unlock();
        }
        if (dropped > 0) {
            counters.add(kind + "_buffer_full", dropped);
        }
    }

    /** Up to that many of the oldest, not more than about that many bytes but at least one if there is one. Never waits. */
    public List<OutgoingRecord> take(int most, long mostBytes) {
        List<OutgoingRecord> taken = new ArrayList<>();
        lock.lock();
        try {
            long size = 0;
            while (!waiting.isEmpty() && taken.size() < most && (taken.isEmpty() || size + waiting.peekFirst().size() <= mostBytes)) {
                OutgoingRecord next = waiting.removeFirst();
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
