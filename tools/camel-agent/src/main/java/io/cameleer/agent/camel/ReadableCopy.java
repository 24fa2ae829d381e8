package io.cameleer.agent.camel;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import javax.xml.transform.Source;
import javax.xml.transform.dom.DOMSource;

import org.apache.camel.Exchange;
import org.apache.camel.StreamCache;
import org.apache.camel.support.DefaultExchange;

import io.cameleer.agent.mask.BodyMasker;
import io.cameleer.agent.mask.SensitiveKeys;

/**
 * A copy of an exchange for an expression of the server's to read: what the expression does to it stays in it, a stream that can be read
 * only once is not in it, and neither are the values of sensitive names, so that no tap can carry them out.
 */
final class ReadableCopy {

    private static final int STREAM_LIMIT = 1 << 20;
    private static final int DEPTH = 16;

    private final SensitiveKeys keys;

    private ReadableCopy(SensitiveKeys keys) {
        this.keys = keys;
    }

    static Exchange of(Exchange exchange, SensitiveKeys keys) throws IOException {
        ReadableCopy maker = new ReadableCopy(keys);
        Exchange copy = new DefaultExchange(exchange.getContext(), exchange.getPattern());
        copy.setExchangeId(exchange.getExchangeId());
        copy.getExchangeExtension().setFromEndpoint(exchange.getFromEndpoint());
        copy.getExchangeExtension().setFromRouteId(exchange.getFromRouteId());
        copy.setException(exchange.getException());
        for (Map.Entry<String, Object> property : exchange.getAllProperties().entrySet()) {
            if (!Frame.PROPERTY.equals(property.getKey())) {
                copy.setProperty(property.getKey(), maker.named(property.getKey(), property.getValue()));
            }
        }
        if (exchange.hasVariables()) {
            for (Map.Entry<String, Object> variable : exchange.getVariables().entrySet()) {
                copy.setVariable(variable.getKey(), maker.named(variable.getKey(), variable.getValue()));
            }
        }
        if (exchange.getMessage().hasHeaders()) {
            for (Map.Entry<String, Object> header : exchange.getMessage().getHeaders().entrySet()) {
                copy.getMessage().setHeader(header.getKey(), maker.named(header.getKey(), header.getValue()));
            }
        }
        copy.getMessage().setBody(maker.readable(exchange.getMessage().getBody(), 0));
        return copy;
    }

    private Object named(String name, Object value) throws IOException {
        return keys.matches(name) ? SensitiveKeys.MASK : readable(value, 0);
    }

    private Object readable(Object value, int depth) throws IOException {
        if (value instanceof String text) {
            return BodyMasker.mask(text, keys);
        }
        if (value instanceof byte[] bytes) {
            return masked(bytes);
        }
        if (value instanceof StreamCache cache) {
            byte[] bytes = contentOf(cache);
            return bytes == null ? null : masked(bytes);
        }
        if (PayloadReader.isPlain(value)) {
            return depth < DEPTH ? plain(value, depth) : null;
        }
        boolean once = value instanceof AutoCloseable || value instanceof Iterator
            || value instanceof Source && !(value instanceof DOMSource);
        return once ? null : value;
    }

    private Object plain(Object value, int depth) throws IOException {
        if (value instanceof Map<?, ?> map) {
            Map<Object, Object> copy = new LinkedHashMap<>();
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                boolean secret = entry.getKey() instanceof String name && keys.matches(name);
                copy.put(entry.getKey(), secret ? SensitiveKeys.MASK : readable(entry.getValue(), depth + 1));
            }
            return copy;
        }
        List<Object> copy = new ArrayList<>();
        for (Object element : (Collection<?>) value) {
            copy.add(readable(element, depth + 1));
        }
        return copy;
    }

    /** The same bytes unless something in them had to be masked. */
    private Object masked(byte[] bytes) {
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            String masked = BodyMasker.mask(text, keys);
            return masked.equals(text) ? bytes.clone() : masked;
        } catch (CharacterCodingException e) {
            return bytes.clone();
        }
    }

    private static byte[] contentOf(StreamCache cache) throws IOException {
        if (!cache.inMemory() || cache.length() > STREAM_LIMIT) {
            return null;
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream((int) Math.max(64, cache.length()));
        try {
            cache.reset();
            cache.writeTo(out);
        } finally {
            cache.reset();
        }
        return out.toByteArray();
    }
}
