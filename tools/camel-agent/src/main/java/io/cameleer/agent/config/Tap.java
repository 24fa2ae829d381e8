package io.cameleer.agent.config;

/**
 * A value of the application's own, taken from an exchange at a processor and kept as an attribute.
 *
 * @param before evaluated before the processor; else after it
 */
public record Tap(String processorId, boolean before, String language, String expression, String attribute) {
}
