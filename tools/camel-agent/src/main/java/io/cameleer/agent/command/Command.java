package io.cameleer.agent.command;

import java.util.Map;

/**
 * A command whose signature and addressee were verified.
 *
 * @param expiresAtMillis by the server's clock
 */
record Command(String commandId, String type, long expiresAtMillis, Map<String, Object> body) {
}
