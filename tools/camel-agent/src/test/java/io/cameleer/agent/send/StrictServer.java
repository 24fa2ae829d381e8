package io.cameleer.agent.send;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
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
import java.util.concurrent.LinkedBlockingQueue;
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
    final List<Map<String, Object>> executions = new CopyOnWriteArrayList<>();
    final Set<String> stored = java.util.concurrent.ConcurrentHashMap.newKeySet();
    final List<Map<String, Object>> heartbeats = new CopyOnWriteArrayList<>();
    final List<Map<String, Object>> registrations = new CopyOnWriteArrayList<>();
    /** Statuses with which the next data requests are answered, before anything else is looked at. */
    final ConcurrentLinkedDeque<Integer> dataStatuses = new ConcurrentLinkedDeque<>();
    /** The same for logs, metrics, events and diagrams. */
    final ConcurrentLinkedDeque<Integer> recordStatuses = new ConcurrentLinkedDeque<>();
    final List<Sent> recordAttempts = new CopyOnWriteArrayList<>();
    volatile String rejectedRecords = "[]";
    volatile boolean refreshRefused;
    volatile int largestBatch = Integer.MAX_VALUE;
    volatile int expiresInSeconds = 3_600;
    volatile int heartbeatIntervalMs = 100;
    volatile String config = "{\"version\":0}";

    volatile String liveConfig = "{\"version\":0}";
    /** What the registration says of who signs. */
    volatile String serverKeyId = "key-1";
    volatile String serverPublicKey = "x";
    /** How far this server's clock is ahead of the agent's. */
    volatile Duration ahead = Duration.ZERO;
    /** Silent streams say nothing at all, not even that they are open. */
    volatile boolean silentStreams;
    /** The Last-Event-ID of each stream that was opened, empty when there was none. */
    final List<String> streams = new CopyOnWriteArrayList<>();
    final Map<String, Map<String, Object>> acks = new java.util.concurrent.ConcurrentHashMap<>();
    /** Statuses with which the next acknowledgements are answered. */
    final ConcurrentLinkedDeque<Integer> ackStatuses = new ConcurrentLinkedDeque<>();

    private volatile LinkedBlockingQueue<String> stream = new LinkedBlockingQueue<>();
    private static final Map<String, List<String>> REQUIRED = Map.of(
        "logs", List.of("timestamp", "level", "message", "source"), "metrics", List.of("metricName", "value", "timestamp", "tags", "type"),
        "events", List.of("type", "timestamp", "detail"), "diagrams", List.of("routeId", "nodes", "edges", "diagramHash"));
    private static final Set<String> RECORDS = REQUIRED.keySet();

    private final Map<String, List<Map<String, Object>>> records = new java.util.concurrent.ConcurrentHashMap<>();
    private final AtomicInteger number = new AtomicInteger();
    private final Set<String> accessTokens = java.util.concurrent.ConcurrentHashMap.newKeySet();
    private volatile String refreshToken = "";
    private final HttpServer server;
    private final ExecutorService workers = Executors.newCachedThreadPool();

    StrictServer(int port) throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.createContext("/", this::handle);
        server.setExecutor(workers);
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    /** Text for the open stream, as it is; an empty one ends it. */
    void stream(String text) {
        stream.add(text);
    }

    void event(String name, String id, String data) {
        stream("event: " + name + "\nid: " + id + "\ndata: " + data + "\n\n");
    }

    Instant now() {
        return Instant.now().plus(ahead);
    }

    private void get(HttpExchange http) throws IOException {
        String path = http.getRequestURI().getPath();
        String bearer = String.valueOf(http.getRequestHeaders().getFirst("Authorization")).replaceFirst("^Bearer ", "");
        if (!accessTokens.contains(bearer)) {
            http.sendResponseHeaders(401, -1);
        } else if (path.equals("/api/v1/agents/config")) {
            calls.add("config");
            byte[] bytes = liveConfig.getBytes(StandardCharsets.UTF_8);
            http.sendResponseHeaders(200, bytes.length);
            http.getResponseBody().write(bytes);
        } else if (path.equals("/api/v1/agents/unit-1/events")) {
            String last = http.getRequestHeaders().getFirst("Last-Event-ID");
            LinkedBlockingQueue<String> mine = new LinkedBlockingQueue<>();
            http.getResponseHeaders().set("Content-Type", "text/event-stream");
            http.sendResponseHeaders(200, 0);
            stream.add("");
            stream = mine;
            streams.add(last == null ? "" : last);
            if (!silentStreams) {
                mine.add(": open\n\n");
            }
            follow(http, mine);
        } else {
            breaches.add("GET " + path);
            http.sendResponseHeaders(404, -1);
        }
    }

    private static void follow(HttpExchange http, LinkedBlockingQueue<String> mine) throws IOException {
        try {
            for (String text = mine.take(); !text.isEmpty(); text = mine.take()) {
                http.getResponseBody().write(text.getBytes(StandardCharsets.UTF_8));
                http.getResponseBody().flush();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
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
        if ("GET".equals(http.getRequestMethod())) {
            try (http) {
                get(http);
            }
            return;
        }
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
            must(beat.get("agentTime") instanceof String, "agentTime of the heartbeat");
            heartbeats.add(beat);
            return new Reply(200, "{\"serverTime\":\"" + now() + "\"}");
        } else if (path.startsWith(agent + "commands/") && path.endsWith("/ack")) {
            Integer forced = ackStatuses.poll();
            if (forced != null) {
                return new Reply(forced, "{}");
            }
            String id = path.substring((agent + "commands/").length(), path.length() - "/ack".length());
            Map<String, Object> ack = JsonText.object(body);
            must(List.of("SUCCESS", "FAILURE").contains(ack.get("status")), "status of the acknowledgement");
            must(body.length <= 300_000, "size of the acknowledgement");
            must(acks.put(id, ack) == null, "a command acknowledged twice");
            return new Reply(200, "{\"commandId\":\"" + id + "\",\"state\":\"ACKNOWLEDGED\"}");
        } else if (path.equals(agent + "deregister")) {
            return new Reply(200, "{}");
        }
        String kind = path.startsWith("/api/v1/data/") ? path.substring("/api/v1/data/".length()) : "";
        if (RECORDS.contains(kind)) {
            return records(kind, key, body);
        }
        must(path.equals("/api/v1/data/executions"), "unknown path");
        return data(key, body);
    }

    private Reply register(String bearer, byte[] body) {
        Map<String, Object> request = JsonText.object(body);
        must(bearer.equals(KEY), "registered with another key");
        for (String member : List.of("agentId", "displayName", "application", "environmentId", "version", "camelVersion", "runtime", "agentTime")) {
            must(request.get(member) instanceof String, "member " + member);
        }
        must(request.get("routeIds") instanceof List, "routeIds");
        must(request.get("capabilities") instanceof Map, "capabilities");
        registrations.add(request);
        return new Reply(200, "{\"agentId\":\"unit-1\",\"sseEndpoint\":\"/api/v1/agents/unit-1/events\",\"heartbeatIntervalMs\":"
            + heartbeatIntervalMs + "," + tokens() + ",\"tenantId\":\"acme\",\"serverKeyId\":\"" + serverKeyId + "\",\"serverPublicKey\":\"" + serverPublicKey
            + "\",\"config\":" + config + "}");
    }

    private String tokens() {
        int n = number.incrementAndGet();
        accessTokens.add("access-" + n);
        refreshToken = "refresh-" + n;
        return "\"accessToken\":\"access-" + n + "\",\"refreshToken\":\"refresh-" + n + "\",\"expiresInSeconds\":" + expiresInSeconds
            + ",\"serverTime\":\"" + now() + "\"";
    }

    @SuppressWarnings("unchecked")
    private static List<Map<String, Object>> elements(byte[] body) {
        return (List<Map<String, Object>>) JsonText.object(
            ("{\"all\":" + new String(body, StandardCharsets.UTF_8) + "}").getBytes(StandardCharsets.UTF_8)).get("all");
    }

    private Reply data(String key, byte[] body) {
        must(key != null && !key.isBlank(), "idempotency key");
        List<Map<String, Object>> elements = elements(body);
        List<String> ids = new ArrayList<>();
        for (Map<String, Object> element : elements) {
            for (String member : List.of("executionId", "exchangeId", "correlationId", "routeId", "status", "startTime")) {
                must(element.get(member) instanceof String, "member " + member);
            }
            must(((String) element.get("startTime")).matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z"), "startTime");
            ids.add((String) element.get("executionId"));
            executions.add(element);
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

    private Reply records(String kind, String key, byte[] body) {
        must(key != null && !key.isBlank(), "idempotency key");
        List<Map<String, Object>> elements = elements(body);
        recordAttempts.add(new Sent(key, List.of(kind), elements.size()));
        Integer forced = recordStatuses.poll();
        if (forced != null) {
            return new Reply(forced, "{}");
        }
        if (elements.size() > largestBatch) {
            return new Reply(413, "{}");
        }
        for (Map<String, Object> element : elements) {
            for (String member : REQUIRED.get(kind)) {
                must(element.get(member) != null, kind + ": member " + member);
            }
        }
        records.computeIfAbsent(kind, k -> new CopyOnWriteArrayList<>()).addAll(elements);
        return new Reply(202, "{\"accepted\":" + elements.size() + ",\"rejected\":" + rejectedRecords + "}");
    }

    /** What was stored of one of the smaller kinds. */
    List<Map<String, Object>> records(String kind) {
        return records.getOrDefault(kind, List.of());
    }

    private static void must(boolean holds, String rule) {
        if (!holds) {
            throw new IllegalStateException(rule);
        }
    }
}
