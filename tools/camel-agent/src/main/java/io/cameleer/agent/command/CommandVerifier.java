package io.cameleer.agent.command;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Base64;
import java.util.Map;
import java.util.regex.Pattern;

import io.cameleer.agent.json.JsonText;

/**
 * Decides whether an event of the stream is a command of this agent's server to this agent, now and for the first time. The signed bytes
 * are verified before anything in them is looked at. Used by one thread.
 */
final class CommandVerifier {

    /** Why an event is refused; the names are those of the counters. */
    enum Refusal { MALFORMED, KEY, SIGNATURE, TENANT, ENVIRONMENT, AGENT, TYPE, EXPIRED, NONCE }

    /** Either a command or why not. */
    record Verdict(Command command, Refusal refusal) {
    }

    static final int EVENT_LIMIT = 4 << 20;
    private static final String PREFIX = "cameleer-command-v1.";
    private static final long TOLERANCE_MILLIS = 30_000;
    private static final int SEEN = 20_000;
    private static final int SIGNATURE_BYTES = 64;
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9_-]{1,128}");

    private final SeenOnce seen = new SeenOnce(SEEN);

    /** @param nowMillis by the server's clock */
    Verdict verify(SseReader.Event event, ServerTrust trust, long nowMillis) {
        Map<String, Object> wrapper = event.data() == null ? Map.of() : JsonText.object(event.data().getBytes(StandardCharsets.UTF_8));
        String payload = JsonText.string(wrapper, "payload", null);
        String signature = JsonText.string(wrapper, "signature", null);
        String keyId = JsonText.string(wrapper, "keyId", null);
        if (payload == null || signature == null || keyId == null) {
            return refused(Refusal.MALFORMED);
        }
        if (trust.key() == null || !keyId.equals(trust.keyId())) {
            return refused(Refusal.KEY);
        }
        if (!signedBy(trust, payload, signature)) {
            return refused(Refusal.SIGNATURE);
        }
        byte[] envelope = base64(payload);
        return envelope == null ? refused(Refusal.MALFORMED) : judge(JsonText.object(envelope), event, trust, nowMillis);
    }

    private Verdict judge(Map<String, Object> envelope, SseReader.Event event, ServerTrust trust, long nowMillis) {
        String id = JsonText.string(envelope, "commandId", "");
        String nonce = JsonText.string(envelope, "nonce", "");
        String type = JsonText.string(envelope, "type", "");
        Instant expires = instant(JsonText.string(envelope, "expiresAt", ""));
        if (!ID.matcher(id).matches() || !ID.matcher(nonce).matches() || type.isEmpty() || expires == null) {
            return refused(Refusal.MALFORMED);
        }
        if (trust.tenantId() == null || !trust.tenantId().equals(envelope.get("tenantId"))) {
            return refused(Refusal.TENANT);
        }
        if (!trust.environment().equals(envelope.get("environment"))) {
            return refused(Refusal.ENVIRONMENT);
        }
        if (!trust.agentId().equals(envelope.get("agentId"))) {
            return refused(Refusal.AGENT);
        }
        if (!type.equals(event.name())) {
            return refused(Refusal.TYPE);
        }
        if (nowMillis - expires.toEpochMilli() > TOLERANCE_MILLIS) {
            return refused(Refusal.EXPIRED);
        }
        if (!seen.take(id, nonce, expires.toEpochMilli(), nowMillis)) {
            return refused(Refusal.NONCE);
        }
        return new Verdict(new Command(id, type, expires.toEpochMilli(), JsonText.child(envelope, "body")), null);
    }

    private static boolean signedBy(ServerTrust trust, String payload, String signature) {
        byte[] bytes = base64(signature);
        if (bytes == null || bytes.length != SIGNATURE_BYTES) {
            return false;
        }
        try {
            Signature verifier = Signature.getInstance("Ed25519");
            verifier.initVerify(trust.key());
            // a character outside ASCII becomes two bytes here, which nobody signed
            verifier.update((PREFIX + payload).getBytes(StandardCharsets.UTF_8));
            return verifier.verify(bytes);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private static byte[] base64(String text) {
        try {
            return text.indexOf('=') >= 0 ? null : Base64.getUrlDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private static Instant instant(String text) {
        try {
            Instant instant = Instant.parse(text);
            // beyond this no sum of milliseconds is safe
            return Math.abs(instant.getEpochSecond()) < 1L << 40 ? instant : null;
        } catch (DateTimeParseException e) {
            return null;
        }
    }

    private static Verdict refused(Refusal refusal) {
        return new Verdict(null, refusal);
    }
}
