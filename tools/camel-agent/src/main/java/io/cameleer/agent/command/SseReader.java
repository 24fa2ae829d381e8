package io.cameleer.agent.command;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** Reads server-sent events off a stream. An event over the bound is given without its data; every byte is noted by the time it came. */
final class SseReader {

    /**
     * @param name {@code message} when the server gave none
     * @param id empty when the server gave none
     * @param data null when it was over the bound
     */
    record Event(String name, String id, String data) {
    }

    private final InputStream in;
    private final int limit;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream(1_024);
    private final byte[] buffer = new byte[8_192];
    private int at;
    private int filled;
    private boolean over;
    private boolean afterReturn;
    private volatile long lastByteNanos = System.nanoTime();

    SseReader(InputStream in, int limit) {
        this.in = in;
        this.limit = limit;
    }

    /** When the last byte came. Any thread may ask. */
    long lastByteNanos() {
        return lastByteNanos;
    }

    /** The next event, or null at the end of the stream. A comment is no event. */
    Event next() throws IOException {
        String name = "message";
        String id = "";
        StringBuilder data = null;
        boolean tooLarge = false;
        while (readLine()) {
            tooLarge |= over;
            String text = line.toString(StandardCharsets.UTF_8);
            int colon = text.indexOf(':');
            String field = colon < 0 ? text : text.substring(0, colon);
            String value = colon < 0 ? "" : text.substring(text.startsWith(" ", colon + 1) ? colon + 2 : colon + 1);
            if (text.isEmpty() && !over) {
                if (data != null || tooLarge) {
                    return new Event(name, id, tooLarge ? null : data.toString());
                }
                name = "message";
                id = "";
            } else if ("event".equals(field)) {
                name = value;
            } else if ("id".equals(field)) {
                id = value;
            } else if ("data".equals(field)) {
                data = data == null ? new StringBuilder(value.length()) : data.append('\n');
                tooLarge |= data.length() + value.length() > limit;
                if (!tooLarge) {
                    data.append(value);
                }
            }
        }
        return null;
    }

    /** Into {@link #line}, as much of it as may be kept. @return false at the end of the stream */
    private boolean readLine() throws IOException {
        line.reset();
        over = false;
        for (int b = nextByte(); b >= 0; b = nextByte()) {
            boolean skip = afterReturn && b == '\n';
            afterReturn = b == '\r';
            if (skip) {
                continue;
            }
            if (b == '\n' || b == '\r') {
                return true;
            }
            if (line.size() < limit) {
                line.write(b);
            } else {
                over = true;
            }
        }
        return false;
    }

    private int nextByte() throws IOException {
        while (at == filled) {
            at = 0;
            filled = Math.max(0, in.read(buffer));
            if (filled == 0) {
                return -1;
            }
            lastByteNanos = System.nanoTime();
        }
        return buffer[at++] & 0xff;
    }
}
