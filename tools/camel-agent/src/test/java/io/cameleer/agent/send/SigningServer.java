package io.cameleer.agent.send;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.BooleanSupplier;

import com.fasterxml.jackson.core.JsonGenerator;

import io.cameleer.agent.json.JsonText;

/** A server that commands: the strict one, with a key to sign with. */
public final class SigningServer implements AutoCloseable {

    public static final Timing QUICK = new Timing(20, 20, 100, 5_000, 2_000, 1_000);

    final StrictServer strict;
    private KeyPair keys = newKeys();

    public SigningServer() throws Exception {
        strict = new StrictServer(0);
        strict.serverPublicKey = Base64.getEncoder().encodeToString(keys.getPublic().getEncoded());
    }

    static KeyPair newKeys() throws GeneralSecurityException {
        return KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    }

    void changeKey(String keyId) throws GeneralSecurityException {
        keys = newKeys();
        strict.serverPublicKey = Base64.getEncoder().encodeToString(keys.getPublic().getEncoded());
        strict.serverKeyId = keyId;
    }

    public AgentIdentity identity() {
        return new AgentIdentity(URI.create("http://127.0.0.1:" + strict.port()), StrictServer.KEY, "unit", "test", "unit-1", "1");
    }

    /** The configuration that the registration brings. */
    public void registrationConfig(String config) {
        strict.config = config;
    }

    /** An envelope with nothing wrong. */
    Map<String, Object> envelope(String type, Map<String, Object> body) {
        Map<String, Object> envelope = new LinkedHashMap<>();
        envelope.put("commandId", UUID.randomUUID().toString());
        envelope.put("type", type);
        envelope.put("tenantId", "acme");
        envelope.put("environment", "test");
        envelope.put("agentId", "unit-1");
        envelope.put("issuedAt", strict.now().toString());
        envelope.put("expiresAt", strict.now().plus(Duration.ofSeconds(60)).toString());
        envelope.put("nonce", UUID.randomUUID().toString());
        envelope.put("body", body);
        return envelope;
    }

    static byte[] json(Object value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (JsonGenerator json = JsonText.FACTORY.createGenerator(out)) {
            JsonText.write(json, value);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return out.toByteArray();
    }

    static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    String signature(String payload) {
        try {
            Signature signer = Signature.getInstance("Ed25519");
            signer.initSign(keys.getPrivate());
            signer.update(("cameleer-command-v1." + payload).getBytes(StandardCharsets.US_ASCII));
            return base64(signer.sign());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The {@code data} of an event, signed over exactly this envelope. */
    String data(Map<String, Object> envelope) {
        String payload = base64(json(envelope));
        return data(payload, signature(payload), strict.serverKeyId);
    }

    static String data(String payload, String signature, String keyId) {
        return "{\"payload\":\"" + payload + "\",\"signature\":\"" + signature + "\",\"keyId\":\"" + keyId + "\"}";
    }

    /** Sends a good command once a stream is open. @return its id */
    public String send(String type, Map<String, Object> body) throws InterruptedException {
        until("a stream is open", () -> !strict.streams.isEmpty());
        Map<String, Object> envelope = envelope(type, body);
        String id = (String) envelope.get("commandId");
        strict.event(type, id, data(envelope));
        return id;
    }

    /** Sends it and waits for the acknowledgement. */
    public Map<String, Object> run(String type, Map<String, Object> body) throws InterruptedException {
        return ackOf(send(type, body));
    }

    /** Its data, once it was acknowledged as a success. */
    public Map<String, Object> succeed(String type, Map<String, Object> body) throws InterruptedException {
        Map<String, Object> ack = run(type, body);
        assertEquals("SUCCESS", ack.get("status"), ack.toString());
        return JsonText.child(ack, "data");
    }

    /** The message of the failure. */
    public String fail(String type, Map<String, Object> body) throws InterruptedException {
        Map<String, Object> ack = run(type, body);
        assertEquals("FAILURE", ack.get("status"), ack.toString());
        return (String) ack.get("message");
    }

    Map<String, Object> ackOf(String id) throws InterruptedException {
        until("acknowledged", () -> strict.acks.containsKey(id));
        return strict.acks.get(id);
    }

    /** The execution as it was sent, once it has ended. */
    public Map<String, Object> execution(String what, java.util.function.Predicate<Map<String, Object>> which) throws InterruptedException {
        until(what, () -> strict.executions.stream().anyMatch(e -> !"RUNNING".equals(e.get("status")) && which.test(e)));
        return strict.executions.stream().filter(e -> !"RUNNING".equals(e.get("status")) && which.test(e)).findFirst().orElseThrow();
    }

    public List<Map<String, Object>> executions() {
        return strict.executions;
    }

    public List<Map<String, Object>> heartbeats() {
        return strict.heartbeats;
    }

    public static void until(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, "not within 30 s: " + what);
            Thread.sleep(5);
        }
    }

    @Override
    public void close() {
        strict.stream("");
        strict.close();
        assertEquals(List.of(), strict.breaches);
    }
}
