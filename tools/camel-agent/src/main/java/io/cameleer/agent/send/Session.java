package io.cameleer.agent.send;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;

import com.fasterxml.jackson.core.JsonGenerator;

import io.cameleer.agent.boot.AgentLog;
import io.cameleer.agent.command.ServerLink;
import io.cameleer.agent.command.ServerTrust;
import io.cameleer.agent.json.JsonText;
import io.cameleer.agent.send.ServerConnection.Answer;
import io.cameleer.agent.settings.Permissions;

/**
 * The agent's standing with the server: registered or not, and with which tokens. Registers when needed, refreshes the access token
 * before it ends and when it is refused, registers again when the refresh is refused. Used by the sending and the heartbeat thread.
 */
final class Session implements ServerLink {

    private static final int OK = 200;
    private static final int UNAUTHORIZED = 401;
    private static final int FORBIDDEN = 403;
    private static final int NOT_FOUND = 404;

    private final AgentIdentity identity;
    private final ServerConnection connection;
    private final CamelState camel;
    private final Counters counters;
    private final Consumer<Map<String, Object>> onConfig;
    private final Permissions permissions;
    private final Object lock = new Object();

    private String agentPath;
    private String accessToken;
    private String refreshToken;
    private long refreshAtNanos;
    private volatile long heartbeatMillis = 30_000;
    private volatile long skewMillis;
    private volatile ServerTrust trust;
    private volatile boolean registeredEarly;
    private volatile int registrations;

    Session(AgentIdentity identity, ServerConnection connection, CamelState camel, Counters counters,
            Consumer<Map<String, Object>> onConfig, Permissions permissions) {
        this.identity = identity;
        this.connection = connection;
        this.camel = camel;
        this.counters = counters;
        this.onConfig = onConfig;
        this.permissions = permissions;
    }

    /** Sends with a token that should be good; a refused one is replaced once. */
    Answer post(String path, byte[] body, String idempotencyKey) throws Unavailable, InterruptedException {
        return post(path, body, body.length, idempotencyKey);
    }

    /** The same with the first bytes of an array. */
    Answer post(String path, byte[] body, int length, String idempotencyKey) throws Unavailable, InterruptedException {
        String token = token(null);
        Answer answer = connection.post(path, token, body, length, idempotencyKey);
        if (answer.status() == UNAUTHORIZED) {
            token = token(token);
            answer = connection.post(path, token, body, length, idempotencyKey);
        }
        if (answer.status() == UNAUTHORIZED || answer.status() == FORBIDDEN) {
            // the server knows this agent no longer, or not with these tokens
            forget(token);
            throw new Unavailable("refused with " + answer.status(), answer.retryAfterMillis());
        }
        return answer;
    }

    private interface Attempt<T> {
        T with(String token) throws Unavailable, InterruptedException;
    }

    /** The same with any call: its status decides whether the token is replaced. */
    private <T> T withToken(Attempt<T> attempt, ToIntFunction<T> statusOf, Consumer<T> refused) throws Unavailable, InterruptedException {
        String token = token(null);
        T answer = attempt.with(token);
        if (statusOf.applyAsInt(answer) == UNAUTHORIZED) {
            refused.accept(answer);
            token = token(token);
            answer = attempt.with(token);
        }
        int status = statusOf.applyAsInt(answer);
        if (status == UNAUTHORIZED || status == FORBIDDEN) {
            refused.accept(answer);
            forget(token);
            throw new Unavailable("refused with " + status, -1);
        }
        return answer;
    }

    @Override
    public OpenStream openStream(String lastEventId) throws Unavailable, InterruptedException {
        record Opened(HttpResponse<InputStream> response, String token) {
        }
        Opened opened = withToken(token -> new Opened(connection.stream(agentPath() + "/events", token, lastEventId), token),
            each -> each.response().statusCode(), each -> close(each.response().body()));
        int status = opened.response().statusCode();
        if (status != OK) {
            close(opened.response().body());
            if (status == NOT_FOUND) {
                forget(null);
            }
            throw new Unavailable("the command stream was answered with " + status, ServerConnection.retryAfter(opened.response()));
        }
        return new OpenStream(opened.response().body(), opened.token());
    }

    private static void close(InputStream in) {
        try {
            in.close();
        } catch (IOException e) {
            // nobody reads it
        }
    }

    @Override
    public void renew(String token) throws Unavailable, InterruptedException {
        token(token);
    }

    @Override
    public void registerAgain() throws Unavailable, InterruptedException {
        forget(null);
        token(null);
    }

    @Override
    public ServerTrust trust() {
        return trust;
    }

    @Override
    public long serverNowMillis() {
        return System.currentTimeMillis() + skewMillis;
    }

    @Override
    public int acknowledge(String commandId, byte[] body) throws Unavailable, InterruptedException {
        String path = "/commands/" + commandId + "/ack";
        String token = token(null);
        Answer answer = connection.post(agentPath() + path, token, body, null);
        if (answer.status() == UNAUTHORIZED) {
            // a 403 is about the command here, not about the token
            answer = connection.post(agentPath() + path, token(token), body, null);
        }
        return answer.status();
    }

    @Override
    public Map<String, Object> readConfig() throws Unavailable, InterruptedException {
        Answer answer = withToken(token -> connection.get("/api/v1/agents/config", token), Answer::status, each -> {
        });
        return answer.status() == OK ? JsonText.object(answer.body()) : Map.of();
    }

    void heartbeat() throws Unavailable, InterruptedException {
        if (registeredEarly && camel.started()) {
            // a slow start: now the routes are known
            forget(null);
        }
        token(null);
        long before = System.currentTimeMillis();
        Answer answer = post(agentPath() + "/heartbeat", heartbeatBody(), null);
        if (answer.status() == NOT_FOUND || answer.status() == 400) {
            forget(null);
        }
        if (answer.status() != OK) {
            throw new Unavailable("the heartbeat was answered with " + answer.status(), answer.retryAfterMillis());
        }
        learnTime(JsonText.object(answer.body()), before);
    }

    void deregister(long limitMillis) throws Unavailable, InterruptedException {
        String path;
        String token;
        synchronized (lock) {
            if (accessToken == null) {
                return;
            }
            path = agentPath;
            token = accessToken;
        }
        connection.post(path + "/deregister", token, new byte[] {'{', '}'}, 2, null, Duration.ofMillis(limitMillis));
    }

    long heartbeatMillis() {
        return heartbeatMillis;
    }

    /** How often this agent has been registered: when it grows, the server may have forgotten what it was told before. */
    int registrations() {
        return registrations;
    }

    boolean registered() {
        synchronized (lock) {
            return accessToken != null;
        }
    }

    long skewMillis() {
        return skewMillis;
    }

    private String agentPath() {
        synchronized (lock) {
            return agentPath;
        }
    }

    /** @param refused a token that the server just refused, or null */
    private String token(String refused) throws Unavailable, InterruptedException {
        synchronized (lock) {
            if (accessToken != null && !accessToken.equals(refused) && System.nanoTime() - refreshAtNanos < 0) {
                return accessToken;
            }
            boolean mustChange = accessToken != null && accessToken.equals(refused);
            if (accessToken != null && !refresh(mustChange)) {
                accessToken = null;
            }
            if (accessToken == null) {
                register();
            }
            return accessToken;
        }
    }

    private void forget(String token) {
        synchronized (lock) {
            if (token == null || token.equals(accessToken)) {
                accessToken = null;
            }
        }
    }

    private void register() throws Unavailable, InterruptedException {
        boolean early = !camel.started();
        long before = System.currentTimeMillis();
        Answer answer = connection.post("/api/v1/agents/register", identity.apiKey(), registerBody(), null);
        if (answer.status() != OK) {
            throw new Unavailable("the registration was answered with " + answer.status() + problem(answer), answer.retryAfterMillis());
        }
        Map<String, Object> body = JsonText.object(answer.body());
        String access = JsonText.string(body, "accessToken", null);
        if (access == null) {
            throw new Unavailable("the registration was answered without an access token", -1);
        }
        String id = JsonText.string(body, "agentId", identity.instanceId());
        agentPath = "/api/v1/agents/" + URLEncoder.encode(id, StandardCharsets.UTF_8).replace("+", "%20");
        registeredEarly = early;
        trust = ServerTrust.of(JsonText.string(body, "tenantId", null), identity.environment(), id,
            JsonText.string(body, "serverKeyId", null), JsonText.string(body, "serverPublicKey", ""));
        heartbeatMillis = Math.max(100, Math.min(JsonText.number(body, "heartbeatIntervalMs", 30_000), 600_000));
        learnTokens(body);
        learnTime(body, before);
        onConfig.accept(JsonText.child(body, "config"));
        registrations++;
        AgentLog.info("registered as " + identity);
    }

    /** False when the refresh token is no good any more. */
    private boolean refresh(boolean mustChange) throws Unavailable, InterruptedException {
        Answer answer = connection.post(agentPath + "/refresh", refreshToken == null ? "" : refreshToken, new byte[] {'{', '}'}, null);
        if (answer.status() == OK && JsonText.object(answer.body()).get("accessToken") instanceof String) {
            learnTokens(JsonText.object(answer.body()));
            return true;
        }
        if (answer.status() >= 400 && answer.status() < 500 && answer.status() != 408 && answer.status() != 429) {
            return false;
        }
        if (mustChange) {
            throw new Unavailable("the refresh was answered with " + answer.status(), answer.retryAfterMillis());
        }
        // the token is still good for a while: try again in a moment
        refreshAtNanos = System.nanoTime() + 5_000_000_000L;
        return true;
    }

    private void learnTokens(Map<String, Object> body) {
        accessToken = JsonText.string(body, "accessToken", null);
        refreshToken = JsonText.string(body, "refreshToken", refreshToken);
        long seconds = Math.max(1, JsonText.number(body, "expiresInSeconds", 3_600));
        // a life is counted on the monotonic clock, so a wrong wall clock does no harm
        refreshAtNanos = System.nanoTime() + (seconds * 1_000 - Math.min(60_000, seconds * 200)) * 1_000_000L;
    }

    private void learnTime(Map<String, Object> body, long beforeMillis) {
        String text = JsonText.string(body, "serverTime", null);
        if (text == null) {
            return;
        }
        try {
            long middle = beforeMillis + (System.currentTimeMillis() - beforeMillis) / 2;
            skewMillis = Instant.parse(text).toEpochMilli() - middle;
        } catch (DateTimeParseException e) {
            counters.add("protocol_error", 1);
        }
    }

    private static String problem(Answer answer) {
        Map<String, Object> body = JsonText.object(answer.body());
        String detail = JsonText.string(body, "detail", JsonText.string(body, "title", ""));
        return detail.isEmpty() ? "" : " (" + detail.substring(0, Math.min(200, detail.length())) + ")";
    }

    private byte[] registerBody() {
        return body(json -> {
            json.writeStringField("agentId", identity.instanceId());
            json.writeStringField("displayName", identity.instanceId());
            json.writeStringField("application", identity.application());
            json.writeStringField("environmentId", identity.environment());
            json.writeStringField("version", identity.version());
            json.writeStringField("camelVersion", camel.camelVersion());
            json.writeStringField("runtime", camel.runtime());
            json.writeStringField("agentTime", Instant.now().toString());
            json.writeArrayFieldStart("routeIds");
            for (String route : new TreeMap<>(camel.routeStates()).keySet()) {
                json.writeString(route);
            }
            json.writeEndArray();
            capabilities(json);
        });
    }

    private byte[] heartbeatBody() {
        return body(json -> {
            json.writeStringField("environmentId", identity.environment());
            json.writeStringField("agentTime", Instant.now().toString());
            capabilities(json);
            json.writeObjectFieldStart("routeStates");
            for (Map.Entry<String, String> route : new TreeMap<>(camel.routeStates()).entrySet()) {
                json.writeStringField(route.getKey(), route.getValue());
            }
            json.writeEndObject();
        });
    }

    private void capabilities(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("capabilities");
        json.writeBooleanField("executions", true);
        json.writeBooleanField("commands", true);
        json.writeBooleanField("routeControl", permissions.routeControl());
        json.writeBooleanField("replay", permissions.replay());
        json.writeNumberField("clockSkewMs", skewMillis);
        for (Map.Entry<String, Long> count : counters.all().entrySet()) {
            // what was refused has its own first word
            String name = count.getKey().indexOf('.') >= 0 ? count.getKey() : "dropped." + count.getKey();
            json.writeNumberField(name, count.getValue());
        }
        json.writeEndObject();
    }

    private interface Members {
        void write(JsonGenerator json) throws IOException;
    }

    private static byte[] body(Members members) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(512);
        try (JsonGenerator json = JsonText.FACTORY.createGenerator(out)) {
            json.writeStartObject();
            members.write(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new IllegalStateException("writing to memory failed", e);
        }
        return out.toByteArray();
    }
}
