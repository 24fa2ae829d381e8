package io.cameleer.agent.json;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

import com.fasterxml.jackson.core.io.JsonStringEncoder;

/**
 * Bytes of JSON that grow at their end and are used again: for what is written so often that a generator's own accounts would cost
 * more than the text. Whoever writes sees to commas and brackets. Used by one thread.
 */
public final class JsonBytes {

    private static final int LEAST = 8_192;
    private static final byte[] LEAST_LONG = Long.toString(Long.MIN_VALUE).getBytes(StandardCharsets.US_ASCII);

    private byte[] bytes = new byte[LEAST];
    private int length;

    public int length() {
        return length;
    }

    /** The array that is written to now; a later write may replace it. */
    public byte[] array() {
        return bytes;
    }

    /** Goes back to an earlier length: what was written since is gone. */
    public void cut(int to) {
        length = to;
    }

    /** Begins anew, and gives memory back beyond that much. */
    public void clear(int keep) {
        length = 0;
        if (bytes.length > keep) {
            bytes = new byte[LEAST];
        }
    }

    public JsonBytes raw(byte[] more) {
        return raw(more, 0, more.length);
    }

    public JsonBytes raw(byte[] more, int from, int count) {
        room(count);
        System.arraycopy(more, from, bytes, length, count);
        length += count;
        return this;
    }

    public JsonBytes raw(char ascii) {
        room(1);
        bytes[length++] = (byte) ascii;
        return this;
    }

    public JsonBytes number(long value) {
        if (value == Long.MIN_VALUE) {
            return raw(LEAST_LONG);
        }
        room(20);
        long rest = value;
        if (rest < 0) {
            bytes[length++] = '-';
            rest = -rest;
        }
        int digits = 1;
        for (long more = rest / 10; more > 0; more /= 10) {
            digits++;
        }
        for (int i = length + digits - 1; i >= length; i--) {
            bytes[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        length += digits;
        return this;
    }

    /** That many digits with leading zeros. */
    public JsonBytes digits(int value, int count) {
        room(count);
        int rest = value;
        for (int i = length + count - 1; i >= length; i--) {
            bytes[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        length += count;
        return this;
    }

    /** In quotes, with what has to be escaped escaped. */
    public JsonBytes text(String text) {
        int count = text.length();
        room(count + 2);
        int at = length;
        bytes[at++] = '"';
        for (int i = 0; i < count; i++) {
            char c = text.charAt(i);
            if (c < ' ' || c > '~' || c == '"' || c == '\\') {
                return escaped(text);
            }
            bytes[at++] = (byte) c;
        }
        bytes[at++] = '"';
        length = at;
        return this;
    }

    private JsonBytes escaped(String text) {
        byte[] quoted;
        try {
            quoted = JsonStringEncoder.getInstance().quoteAsUTF8(text);
        } catch (IllegalArgumentException e) {
            // half a surrogate pair, which has no UTF-8: a question mark in its place
            String whole = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
            quoted = JsonStringEncoder.getInstance().quoteAsUTF8(whole);
        }
        return raw('"').raw(quoted).raw('"');
    }

    private void room(int more) {
        if (length + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(length + more, bytes.length * 2));
        }
    }
}
