package io.cameleer.agent.send;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.core.JsonGenerator;

import org.junit.jupiter.api.Test;

import io.cameleer.agent.mask.SensitiveKeys;

class RecordQueueTest {

    /** A record of a log that says which one it is. */
    record Line(int number, int size) implements OutgoingRecord {
        @Override
        public void write(JsonGenerator json, SensitiveKeys keys) throws IOException {
            json.writeStartObject();
            json.writeStringField("timestamp", "2026-01-01T00:00:00.000Z");
            json.writeStringField("level", "INFO");
            json.writeStringField("message", "line " + number);
            json.writeStringField("source", "app");
            json.writeEndObject();
        }
    }

    private final Counters counters = new Counters();

    private static List<Integer> numbers(List<OutgoingRecord> records) {
        return records.stream().map(r -> ((Line) r).number()).toList();
    }

    @Test
    void the_oldest_gives_way_to_the_newest_by_number() {
        RecordQueue queue = new RecordQueue("logs", 3, 1_000, counters);
        for (int i = 0; i < 5; i++) {
            queue.add(new Line(i, 10));
        }
        assertEquals(List.of(2, 3, 4), numbers(queue.take(10, 1_000)));
        assertEquals(Map.of("logs_buffer_full", 2L), counters.all());
        assertEquals(0, queue.bytes());
    }

    @Test
    void the_oldest_gives_way_to_the_newest_by_bytes() {
        RecordQueue queue = new RecordQueue("events", 100, 100, counters);
        for (int i = 0; i < 5; i++) {
            queue.add(new Line(i, 40));
        }
        assertEquals(80, queue.bytes());
        queue.add(new Line(9, 101));
        assertEquals(List.of(), numbers(queue.take(10, 1_000)));
        assertEquals(6, counters.get("events_buffer_full"));
    }

    @Test
    void a_batch_is_bounded_by_number_and_bytes_but_never_empty() {
        RecordQueue queue = new RecordQueue("logs", 100, 1_000, counters);
        for (int i = 0; i < 5; i++) {
            queue.add(new Line(i, 50));
        }
        assertEquals(List.of(0), numbers(queue.take(10, 10)));
        assertEquals(List.of(1, 2), numbers(queue.take(2, 1_000)));
        assertEquals(List.of(3), numbers(queue.take(10, 99)));
        assertEquals(1, queue.size());
    }
}
