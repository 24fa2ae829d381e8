package io.cameleer.agent.camel;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Reader;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.time.temporal.TemporalAccessor;
import java.util.Collection;
import java.util.Date;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

import com.fasterxml.jackson.core.JsonGenerator;

import org.apache.camel.Message;
import org.apache.camel.StreamCache;

import io.cameleer.agent.json.JsonText;
import io.cameleer.agent.model.Payload;
import io.cameleer.agent.settings.Limits;

/**
 * Takes a picture of a message without changing it. Text and bytes are read as they are, a cached stream is read and wound back, plain
 * maps and lists are written as JSON; everything else, above all a stream that can be read only once, is represented by its type.
 */
final class PayloadReader {

    private static final int JSON_ELEMENTS = 1_000;
    private static final int JSON_DEPTH = 8;

    private final Limits limits;

    PayloadReader(Limits limits) {
        this.limits = limits;
    }

    Payload read(Message message) {
        Object body = message.getBody();
        Text text;
        try {
            text = textOf(body, limits.body());
        } catch (IOException | RuntimeException e) {
            text = new Text(nameOf(body), -1);
        }
        boolean stream = !(body instanceof StreamCache) && (body instanceof InputStream || body instanceof Reader);
        return new Payload(text.text(), text.size(), stream, headersOf(message));
    }

    private Map<String, String> headersOf(Message message) {
        Map<String, String> headers = new TreeMap<>();
        if (!message.hasHeaders()) {
            return headers;
        }
        for (Map.Entry<String, Object> header : message.getHeaders().entrySet()) {
            if (headers.size() >= limits.headers()) {
                break;
            }
            if (header.getKey() != null && header.getValue() != null) {
                headers.put(header.getKey(), headerOf(header.getValue()));
            }
        }
        return headers;
    }

    private String headerOf(Object value) {
        try {
            Text text = value instanceof StreamCache ? new Text(nameOf(value), -1) : textOf(value, limits.header());
            return text.text() == null ? "" : text.text();
        } catch (IOException | RuntimeException e) {
            return nameOf(value);
        }
    }

    /** @param size the length before it was cut, or -1 when it is whole */
    private record Text(String text, long size) {
    }

    private static Text textOf(Object value, int limit) throws IOException {
        if (value == null) {
            return new Text(null, -1);
        }
        if (value instanceof String text) {
            return cut(text, limit);
        }
        if (value instanceof Number || value instanceof Boolean || value instanceof Character || value instanceof Enum<?>
                || value instanceof UUID || value instanceof TemporalAccessor || value instanceof Date) {
            return cut(value.toString(), limit);
        }
        if (value instanceof byte[] bytes) {
            return decoded(bytes, bytes.length, bytes.length, limit);
        }
        if (value instanceof StreamCache cache) {
            return cached(cache, limit);
        }
        if (isPlain(value)) {
            return json(value, limit);
        }
        if (value instanceof Throwable thrown) {
            return new Text("[" + thrown.getClass().getName() + "]", -1);
        }
        return new Text(nameOf(value), -1);
    }

    private static String nameOf(Object value) {
        return "[" + value.getClass().getTypeName() + "]";
    }

    private static Text cut(String text, int limit) {
        if (text.length() <= limit) {
            return new Text(text, -1);
        }
        int end = limit > 0 && Character.isHighSurrogate(text.charAt(limit - 1)) ? limit - 1 : limit;
        return new Text(text.substring(0, end), text.length());
    }

    /** Bytes that are UTF-8 are shown as text; others only by their number. A character that the cut went through is left off. */
    private static Text decoded(byte[] bytes, int length, long whole, int limit) {
        int used = Math.min(length, limit);
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT).onUnmappableCharacter(CodingErrorAction.REPORT);
        CharBuffer chars = CharBuffer.allocate(used);
        CoderResult result = decoder.decode(ByteBuffer.wrap(bytes, 0, used), chars, used == whole);
        if (result.isError()) {
            return new Text("[" + whole + " bytes]", -1);
        }
        return new Text(chars.flip().toString(), used == whole ? -1 : whole);
    }

    private static Text cached(StreamCache cache, int limit) throws IOException {
        if (!cache.inMemory()) {
            return new Text("[" + nameOf(cache) + " " + cache.length() + " bytes, not in memory]", -1);
        }
        Head head = new Head(limit);
        try {
            cache.reset();
            cache.writeTo(head);
        } catch (HeadFull full) {
            // as much as is wanted was read
        } finally {
            cache.reset();
        }
        long whole = Math.max(cache.length(), head.used);
        return decoded(head.bytes, head.used, head.full ? Math.max(whole, head.used + 1L) : head.used, limit);
    }

    static boolean isPlain(Object value) {
        boolean container = value instanceof Map<?, ?> || value instanceof Collection<?>;
        return container && (value.getClass().getName().startsWith("java.util.")
            || value.getClass().getName().startsWith("org.apache.camel.util."));
    }

    private static Text json(Object value, int limit) throws IOException {
        StringWriter out = new StringWriter();
        // elements and characters that may still be written; what is over is cut below
        int[] budget = {JSON_ELEMENTS, limit};
        try (JsonGenerator json = JsonText.FACTORY.createGenerator(out)) {
            write(json, value, budget, 0, limit);
        }
        return cut(out.toString(), limit);
    }

    private static void write(JsonGenerator json, Object value, int[] budget, int depth, int limit) throws IOException {
        if (depth > JSON_DEPTH || budget[0]-- <= 0 || budget[1] < 0) {
            json.writeString("…");
        } else if (value == null) {
            json.writeNull();
        } else if (value instanceof Map<?, ?> map && isPlain(value)) {
            json.writeStartObject();
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                if (budget[0] <= 0 || budget[1] < 0) {
                    break;
                }
                json.writeFieldName(String.valueOf(entry.getKey() instanceof String key ? key : textOf(entry.getKey(), 256).text()));
                write(json, entry.getValue(), budget, depth + 1, limit);
            }
            json.writeEndObject();
        } else if (value instanceof Collection<?> collection && isPlain(value)) {
            json.writeStartArray();
            for (Object element : collection) {
                if (budget[0] <= 0 || budget[1] < 0) {
                    break;
                }
                write(json, element, budget, depth + 1, limit);
            }
            json.writeEndArray();
        } else if (value instanceof Boolean flag) {
            json.writeBoolean(flag);
        } else if (value instanceof Integer || value instanceof Long || value instanceof Short || value instanceof Double) {
            json.writeNumber(value.toString());
        } else {
            String text = value instanceof StreamCache ? nameOf(value) : textOf(value, limit).text();
            budget[1] -= text.length();
            json.writeString(text);
        }
    }

    private static final class HeadFull extends IOException {
        private static final long serialVersionUID = 1L;

        @Override
        public synchronized Throwable fillInStackTrace() {
            return this;
        }
    }

    /** Keeps the first bytes and refuses the rest. */
    private static final class Head extends OutputStream {
        private final int limit;
        private byte[] bytes;
        private int used;
        private boolean full;

        Head(int limit) {
            this.limit = limit;
            this.bytes = new byte[Math.min(limit, 8_192)];
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] source, int offset, int length) throws IOException {
            int take = Math.min(length, limit - used);
            if (used + take > bytes.length) {
                bytes = java.util.Arrays.copyOf(bytes, Math.min(limit, Math.max(bytes.length * 2, used + take)));
            }
            System.arraycopy(source, offset, bytes, used, take);
            used += take;
            if (take < length) {
                full = true;
                throw new HeadFull();
            }
        }
    }
}
