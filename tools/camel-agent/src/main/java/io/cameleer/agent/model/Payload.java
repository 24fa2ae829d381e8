package io.cameleer.agent.model;

import java.util.Map;

/**
 * A body and its headers as they were at one moment, already cut to size and not yet masked.
 *
 * @param body text, or null when there was none or none may be kept
 * @param bodySize the length before the cut, or -1 when the body is whole
 * @param stream true when the body was a stream that could not be read without taking it from the application
 */
public record Payload(String body, long bodySize, boolean stream, Map<String, String> headers) {

    public int size() {
        int size = body == null ? 0 : body.length();
        for (Map.Entry<String, String> header : headers.entrySet()) {
            size += header.getKey().length() + header.getValue().length();
        }
        return size;
    }
}
