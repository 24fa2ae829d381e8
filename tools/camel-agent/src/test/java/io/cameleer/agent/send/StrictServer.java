package io.cameleer.agent.send;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPInputStream;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import io.cameleer.agent.json.JsonText;

/** The server's side of the protocol, as strict as it may be: each breach of a rule is kept in {@link #breaches} and answered 400. */
final class StrictServer implements AutoCloseable {

    static final String KEY = "cmk_unit-test";

    record Sent(String key, List<String> ids, int size) {
    }

    final List<String> breaches = new CopyOnWriteArrayList<>();
    final List<String> calls = new CopyOnWriteArrayList<>();
    final List<Sent> attempts = new CopyOnWriteArrayList<>();
    final Set<String> stored = java.util.concurrent.ConcurrentHashMap.newKeySet();
    final List<Map<String, Object>> heartbeats = new CopyOnWriteArrayList<>();
    final List<Map<String, Object>> registrations = new CopyOnWriteArrayList<>();
    /** Statuses with which the next data requests are answered, before anything else is looked at. */
    final ConcurrentLinkedDeque<Integer> dataStatuses = new ConcurrentLinkedDeque<>();
    volatile boolean refreshRefused;
    volatile int largestBatch = Integer.MAX_VALUE;
    volatile int expiresInSeconds = 3_600;
    volatile int heartbeatIntervalMs = 100;
    volatile String config = "{\"version\":0}";

    private final AtomicInteger number = new AtomicInteger();
    private final Set<String> accessTokens = java.util.concurrent.ConcurrentHashMap.newKeySet();
    private volatile String refreshToken = "";
    private final HttpServer server;
    private final ExecutorService workers = Executors.newFixedThreadPool(4);

    StrictServer(int port) throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.createContext("/", this::handle);
        server.setExecutor(workers);
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    void revokeAccess() {
        accessTokens.clear();
    }

    @Override
    public void close() {
        server.stop(0);
        workers.shutdownNow();
    }

    private void handle(HttpExchange http) throws IOException {
        try (http) {
            byte[] body = http.getRequestBody().readAllBytes();
            String path = http.getRequestURI().getPath();
            String answer;
            int status;
            try {
                must("POST".equals(http.getRequestMethod()), "method " + http.getRequestMethod());
                must("1".equals(http.getRequestHeaders().getFirst("X-Protocol-Version")), "protocol version");
                must("application/json".equals(http.getRequestHeaders().getFirst("Content-Type")), "content type");
                must(http.getRequestHeaders().getFirst("Content-Length") != null, "length");
                if ("gzip".equals(http.getRequestHeaders().getFirst("Content-Encoding"))) {
                    body = new GZIPInputStream(new ByteArrayInputStream(body)).readAllBytes();
                }
                calls.add(path.substring(path.lastIndexOf('/') + 1));
                String bearer = String.valueOf(http.getRequestHeaders().getFirst("Authorization"));
                must(bearer.startsWith("Bearer "), "authorization");
                Reply reply = route(path, bearer.substring(7), http.getRequestHeaders().getFirst("Idempotency-Key"), body);
                status = reply.status();
                answer = reply.body();
            } catch (IllegalStateException e) {
                breaches.add(path + ": " + e.getMessage());
                status = 400;
                answer = "{}";
            }
            byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
            http.getResponseHeaders().set("Content-Type", "application/json");
            http.sendResponseHeaders(status, bytes.length);
            http.getResponseBody().write(bytes);
        }
    }

    private record Reply(int status, String body) {
    }

    private Reply route(String path, String bearer, String key, byte[] body) {
        String agent = "/api/v1/agents/unit-1/";
        if (path.equals("/api/v1/agents/register")) {
            return register(bearer, body);
        } else if (path.equals(agent + "refresh")) {
            if (refreshRefused || !bearer.equals(refreshToken)) {
                return new Reply(401, "{}");
            }
            return new Reply(200, "{" + tokens() + "}");
        }
        if (!accessTokens.contains(bearer)) {
            return new Reply(401, "{}");
        }
        if (path.equals(agent + "heartbeat")) {
            Map<String, Object> beat = JsonText.object(body);
            must("test".equals(beat.get("environmentId")), "environmentId of the heartbeat");
            must(beat.get("routeStates") instanceof Map, "routeStates");
            heartbeats.add(beat);
            return new Reply(200, "{\"serverTime\":\"" + Instant.now() + "\"}");
        } else if (path.equals(agent + "deregister")) {
            return new Reply(200, "{}");
        }
        must(path.equals("/api/v1/data/executions"), "unknown path");
        return data(key, body);
    }

    private Reply register(String bearer, byte[] body) {
        Map<String, Object> request = JsonText.object(body);
        must(bearer.equals(KEY), "registered with another key");
        for (String member : List.of("agentId", "displayName", "application", "environmentId", "version", "camelVersion", "runtime")) {
            must(request.get(member) instanceof String, "member " + member);
        }
        must(request.get("routeIds") instanceof List, "routeIds");
        must(request.get("capabilities") instanceof Map, "capabilities");
        registrations.add(request);
        return new Reply(200, "{\"agentId\":\"unit-1\",\"sseEndpoint\":\"/api/v1/agents/unit-1/events\",\"heartbeatIntervalMs\":"
            + heartbeatIntervalMs + "," + tokens() + ",\"serverPublicKey\":\"x\",\"config\":" + config + "}");
    }

    private String tokens() {
        int n = number.incrementAndGet();
        accessTokens.add("access-" + n);
        refreshToken = "refresh-" + n;
        return "\"accessToken\":\"access-" + n + "\",\"refreshToken\":\"refresh-" + n + "\",\"expiresInSeconds\":" + expiresInSeconds
            + ",\"serverTime\":\"" + Instant.now() + "\"";
    }

    @SuppressWarnings("unchecked")
    private Reply data(String key, byte[] body) {
        must(key != null && !key.isBlank(), "idempotency key");
        List<Map<String, Object>> elements = (List<Map<String, Object>>) JsonText.object(
            ("{\"all\":" + new String(body, StandardCharsets.UTF_8) + "}").getBytes(StandardCharsets.UTF_8)).get("all");
        List<String> ids = new ArrayList<>();
        for (Map<String, Object> element : elements) {
            for (String member : List.of("executionId", "exchangeId", "correlationId", "routeId", "status", "startTime")) {
                must(element.get(member) instanceof String, "member " + member);
            }
            must(((String) element.get("startTime")).matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z"), "startTime");
            ids.add((String) element.get("executionId"));
        }
        attempts.add(new Sent(key, ids, body.length));
        Integer forced = dataStatuses.poll();
        if (forced != null) {
            return new Reply(forced, "{}");
        }
        if (ids.size() > largestBatch) {
            return new Reply(413, "{}");
        }
        must(new HashSet<>(ids).size() == ids.size(), "an execution twice in one request");
        stored.addAll(ids);
        return new Reply(202, "{\"accepted\":" + ids.size() + "}");
    }

    private static void must(boolean holds, String rule) {
        if (!holds) {
            throw new IllegalStateException(rule);
        }
    }
}
