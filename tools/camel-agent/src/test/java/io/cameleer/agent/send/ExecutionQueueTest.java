package io.cameleer.agent.send;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.Payload;

class ExecutionQueueTest {

    private final Counters counters = new Counters();

    static Execution closed(String id, int bodySize) {
        Execution execution = new Execution(id, "ex-" + id, id, null, "route", "direct://x", 1_000, 0, 100, 1 << 20);
        execution.input(new Payload("b".repeat(bodySize), -1, false, Map.of()));
        execution.close(null, 100, null, 1_001, 1_000_000);
        return execution;
    }

    @Test
    void the_oldest_gives_way_when_there_are_too_many() throws Exception {
        ExecutionQueue queue = new ExecutionQueue(3, 1 << 20, counters);
        for (int i = 1; i <= 5; i++) {
            queue.add(closed("e" + i, 10));
        }
        assertEquals(List.of("e3", "e4", "e5"), queue.take(10, 1 << 20, 0).stream().map(e -> e.executionId).toList());
        assertEquals(2, counters.get("buffer_full"));
        assertEquals(0, queue.bytes());
    }

    @Test
    void it_never_holds_more_bytes_than_it_may() throws Exception {
        ExecutionQueue queue = new ExecutionQueue(1_000, 10_000, counters);
        for (int i = 0; i < 50; i++) {
            queue.add(closed("e" + i, 1_000));
            assertTrue(queue.bytes() <= 10_000);
        }
        assertEquals(50, queue.size() + counters.get("buffer_full"));
        queue.add(closed("giant", 20_000));
        assertEquals(0, queue.size());
        assertEquals(51, counters.get("buffer_full"));
    }

    @Test
    void a_batch_is_bounded_by_number_and_bytes_but_never_empty() throws Exception {
        ExecutionQueue queue = new ExecutionQueue(100, 1 << 20, counters);
        for (int i = 0; i < 10; i++) {
            queue.add(closed("e" + i, 1_000));
        }
        assertEquals(4, queue.take(4, 1 << 20, 0).size());
        assertEquals(2, queue.take(10, 4_000, 0).size());
        assertEquals(1, queue.take(10, 1, 0).size());
        assertEquals(3, queue.take(10, 1 << 20, 0).size());
        assertEquals(0, queue.take(10, 1 << 20, 0).size());
    }
}
