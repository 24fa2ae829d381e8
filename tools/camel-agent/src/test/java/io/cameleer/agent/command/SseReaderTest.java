package io.cameleer.agent.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import io.cameleer.agent.command.SseReader.Event;

class SseReaderTest {

    private static List<Event> read(String text, int limit, int piece) throws IOException {
        InputStream whole = new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
        // as a network gives it: in pieces
        InputStream pieces = new InputStream() {
            @Override
            public int read() throws IOException {
                return whole.read();
            }

            @Override
            public int read(byte[] target, int offset, int length) throws IOException {
                return whole.read(target, offset, Math.min(length, piece));
            }
        };
        SseReader reader = new SseReader(pieces, limit);
        List<Event> events = new ArrayList<>();
        for (Event event = reader.next(); event != null; event = reader.next()) {
            events.add(event);
        }
        return events;
    }

    @Test
    void events_are_read_whatever_the_line_ends_and_the_pieces() throws IOException {
        record Case(String text, List<Event> events) {
        }
        Event ab = new Event("a", "1", "b");
        for (Case c : List.of(
                new Case("event: a\nid: 1\ndata: b\n\n", List.of(ab)),
                new Case("event:a\r\nid:1\r\ndata:b\r\n\r\n", List.of(ab)),
                new Case("event: a\rid: 1\rdata: b\r\r", List.of(ab)),
                new Case(": open\n\n:\n\nid: 1\ndata: b\nevent: a\n\n: keepalive\n\n", List.of(ab)),
                new Case("data: b\n\n", List.of(new Event("message", "", "b"))),
                new Case("data: b\ndata: c\ndata\ndata:  d\n\n", List.of(new Event("message", "", "b\nc\n\n d"))),
                new Case("event: a\nid: 7\n\ndata: b\n\n", List.of(new Event("message", "", "b"))),
                new Case("retry: 5\nunknown: x\ndata: ä€\n\n", List.of(new Event("message", "", "ä€"))),
                new Case("data: a:b: c\n\n", List.of(new Event("message", "", "a:b: c"))),
                new Case("event: a\nid: 1\ndata: b", List.of()),
                new Case("", List.of()))) {
            for (int piece : new int[] {1, 2, 3, 8_192}) {
                assertEquals(c.events(), read(c.text(), 1_000, piece), c.text() + " in pieces of " + piece);
            }
        }
    }

    @Test
    void what_is_over_the_bound_is_given_without_data_and_the_next_event_is_whole() throws IOException {
        String large = "x".repeat(200);
        Event next = new Event("n", "2", "fine");
        String after = "event: n\nid: 2\ndata: fine\n\n";
        assertEquals(List.of(new Event("a", "1", null), next), read("event: a\nid: 1\ndata: " + large + "\n\n" + after, 100, 64));
        String line = "data: " + "x".repeat(40) + "\n";
        assertEquals(List.of(new Event("message", "", null), next), read(line.repeat(10) + "\n" + after, 100, 64));
        assertEquals(List.of(new Event("message", "", null), next), read(large + "\n\n" + after, 100, 64));
    }
}
